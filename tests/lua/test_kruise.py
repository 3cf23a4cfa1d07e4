"""Scripts written for Kruise: its two shapes in, its results out."""

import json

import pytest

from krmfn.errors import KrmfnError
from krmfn.lua import Limits, from_config, render

INGRESS = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "Ingress",
    "metadata": {"name": "web", "namespace": "demo", "annotations": {"z": "1", "a": "2"}},
    "spec": {
        "ingressClassName": "nginx",
        "rules": [
            {
                "host": "a.example.com",
                "http": {"paths": [{"backend": {"service": {"name": "web", "port": {"number": 80}}}}]},
            },
            {
                "host": "b.example.com",
                "http": {"paths": [{"backend": {"service": {"name": "api", "port": {"number": 80}}}}]},
            },
        ],
    },
}
VIRTUAL_SERVICE = {
    "apiVersion": "networking.istio.io/v1",
    "kind": "VirtualService",
    "metadata": {"name": "web", "labels": {"app": "web"}, "annotations": {"b": "1", "a": "2"}},
    "spec": {
        "hosts": ["*"],
        "gateways": [],
        "http": [
            {
                "name": "main",
                "headers": {},
                "route": [{"weight": 100, "destination": {"host": "web", "port": {"number": 80}}}],
            }
        ],
    },
    "status": {"seen": True},
}
STAGE = {"name": "web-canary", "stableService": "web", "canaryService": "web-canary", "matches": [], "neutral": False}
TESTER = {"headers": [{"name": "x-user", "value": "tester", "type": "Exact"}], "queryParams": [], "cookies": []}

# Like those that Kruise ships: globals everywhere.
ANNOTATE = """
annotations = {}
if ( obj.annotations )
then
    annotations = obj.annotations
end
annotations["example.com/canary"] = "true"
annotations["example.com/weight"] = nil
if ( obj.weight ~= "-1" )
then
    annotations["example.com/weight"] = obj.weight
end
if ( not obj.matches )
then
    return annotations
end
for _,match in ipairs(obj.matches) do
    if match.headers and next(match.headers) ~= nil then
        header = match.headers[1]
        annotations["example.com/by-" .. header.name] = header.value
    end
end
return annotations
"""

DIVIDE = """
spec = obj.data.spec
function deepCopy(original)
    local copy
    if type(original) == 'table' then
        copy = {}
        for key, value in pairs(original) do
            copy[key] = deepCopy(value)
        end
    else
        copy = original
    end
    return copy
end
function generateRoutes(spec)
    for _, rule in ipairs(spec.http) do
        for _, route in ipairs(rule.route) do
            canary = deepCopy(route)
            route.weight = math.floor(route.weight * obj.stableWeight / 100)
        end
        canary.destination.host = obj.canaryService
        canary.weight = obj.canaryWeight
        table.insert(rule.route, canary)
    end
end
function generateMatches(spec)
    for _, match in ipairs(obj.matches) do
        local rule = { match = { { headers = {}, withoutHeaders = {} } }, route = { { destination = {} } } }
        rule.route[1].destination.host = obj.canaryService
        for _, header in ipairs(match.headers) do
            if header.type == "RegularExpression" then
                matchType = "regex"
            elseif header.type == "Exact" then
                matchType = "exact"
            end
            rule.match[1].headers[header.name] = { [matchType] = header.value }
        end
        table.insert(spec.http, 1, rule)
    end
end
if (obj.matches and next(obj.matches) ~= nil) then generateMatches(spec) else generateRoutes(spec) end
return obj.data
"""

SUBSET = """
local spec = obj.data.spec
local canary = {}
canary.labels = {}
canary.name = "canary"
for k, v in pairs(obj.patchPodMetadata.labels) do
    canary.labels[k] = v
end
table.insert(spec.subsets, canary)
return obj.data
"""


def ingress(source, stage, given=INGRESS):
    """Render with a script of the Ingress shape."""
    (made,) = render(from_config({"lua.traffic.routing.ingress.nginx": source}, "", "Ingress"), given, STAGE | stage)
    return made


def custom(source, stage, given=VIRTUAL_SERVICE):
    """Render with a script of the custom shape."""
    (made,) = render(from_config({"lua.traffic.routing.A.b": source}, "b", "A"), given, STAGE | stage)
    return made


@pytest.mark.parametrize(
    ("stage", "added"),
    [
        ({"weight": 5}, {"example.com/canary": "true", "example.com/weight": "5"}),
        ({"weight": 0}, {"example.com/canary": "true", "example.com/weight": "0"}),
        (
            {"neutral": True, "weight": 5, "matches": [TESTER]},
            {"example.com/canary": "true", "example.com/weight": "0"},
        ),
        ({}, {"example.com/canary": "true", "example.com/weight": "0"}),
        ({"matches": [TESTER]}, {"example.com/by-x-user": "tester", "example.com/canary": "true"}),
        ({"weight": None, "matches": [TESTER]}, {"example.com/by-x-user": "tester", "example.com/canary": "true"}),
        (
            {"matches": [{"headers": [], "cookies": [{"name": "beta", "value": "always", "type": "Exact"}]}]},
            {"example.com/by-canary-by-cookie": "beta", "example.com/canary": "true"},
        ),
    ],
)
def test_ingress_shape(stage, added):
    """The script writes the annotations, and the rest of the canary's Ingress is made for it."""
    made = ingress(ANNOTATE, stage)
    assert made == {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": "web-canary", "namespace": "demo", "annotations": {"z": "1", "a": "2"} | added},
        "spec": {
            "ingressClassName": "nginx",
            "rules": [
                {
                    "host": "a.example.com",
                    "http": {"paths": [{"backend": {"service": {"name": "web-canary", "port": {"number": 80}}}}]},
                }
            ],
        },
    }
    assert list(made["metadata"]["annotations"]) == ["z", "a", *added]


@pytest.mark.parametrize(
    ("stage", "expected"),
    [
        ({"weight": 20}, {"weight": "20", "canaryService": "web-canary", "annotations": {"z": "1", "a": "2"}}),
        (
            {"matches": [TESTER], "headerModifier": {"set": [{"name": "a", "value": "b"}], "add": [], "remove": []}},
            {
                "annotations": {"z": "1", "a": "2"},
                "canaryService": "web-canary",
                "matches": [{"headers": TESTER["headers"]}],
                "requestHeaderModifier": {"set": [{"name": "a", "value": "b"}]},
                "weight": "-1",
            },
        ),
    ],
)
def test_ingress_input(stage, expected):
    """``obj`` has Kruise's members, and those that Kruise leaves out are not there."""
    assert json_value(ingress("return { it = json.encode(obj) }", stage)) == expected


def json_value(made):
    """Return what a script has written into the annotation ``it``."""
    return json.loads(made["metadata"]["annotations"]["it"])


def test_no_annotations():
    """Scripts that expect annotations work also where there are none."""
    bare = {**INGRESS, "metadata": {"name": "web"}}
    made = ingress('annotations = obj.annotations annotations.a = "b" return annotations', {"weight": 5}, bare)
    assert made["metadata"] == {"name": "web-canary", "annotations": {"a": "b"}}


def test_a_subset_is_known_before_the_first_request_and_until_after_the_last():
    """Where one Service has both sides a script is asked for a weight of 0 while the canary gets nothing."""
    source = "obj.data.spec = {weight = obj.canaryWeight, matches = obj.matches or 'none'} return obj.data"
    stage = {"neutral": True, "subset": "canary", "matches": [TESTER]}
    made = custom(source, stage)
    assert made["spec"] == {"weight": 0, "matches": "none"}


@pytest.mark.parametrize("stage", [{"neutral": True, "weight": 5}, {}, {"headerModifier": {"set": []}}])
def test_custom_shape_at_rest(stage):
    """Where nothing is asked for, the object is the given one, and the script does not run."""
    assert custom("error('ran')", stage) == VIRTUAL_SERVICE


def test_custom_shape_weight():
    """A script divides a route in place; lists, maps, order and what it never saw stay as they were."""
    made = custom(DIVIDE, {"weight": 20})
    route = made["spec"]["http"][0]["route"]
    assert route == [
        {"weight": 80, "destination": {"host": "web", "port": {"number": 80}}},
        {"weight": 20, "destination": {"host": "web-canary", "port": {"number": 80}}},
    ]
    expected = {**VIRTUAL_SERVICE["spec"], "http": [{"name": "main", "headers": {}, "route": route}]}
    assert repr(made) == repr({**VIRTUAL_SERVICE, "spec": expected})


def test_custom_shape_matches():
    """A rule put in front does not disturb the others, and an empty table that stood nowhere is left out."""
    made = custom(DIVIDE, {"matches": [TESTER]})
    rule = {"route": [{"destination": {"host": "web-canary"}}], "match": [{"headers": {"x-user": {"exact": "tester"}}}]}
    assert repr(made["spec"]) == repr({**VIRTUAL_SERVICE["spec"], "http": [rule, *VIRTUAL_SERVICE["spec"]["http"]]})


def test_pod_metadata():
    """The labels of the new pods reach the script."""
    given = {"kind": "DestinationRule", "spec": {"subsets": [{"name": "base", "labels": {"version": "base"}}]}}
    stage = {"weight": 20, "podMetadata": {"labels": {"version": "canary"}, "annotations": {}}}
    made = custom(SUBSET, stage, given)
    assert made["spec"]["subsets"] == [
        {"name": "base", "labels": {"version": "base"}},
        {"labels": {"version": "canary"}, "name": "canary"},
    ]


def test_custom_input():
    """``obj`` has Kruise's seven members."""
    source = "local n = {} for k in pairs(obj) do n[#n+1] = k end obj.data.spec.n = n return obj.data"
    stage = {"weight": 20, "matches": [TESTER], "headerModifier": {"remove": ["a"]}}
    assert custom(source, stage)["spec"]["n"] == [
        "canaryService",
        "canaryWeight",
        "data",
        "matches",
        "requestHeaderModifier",
        "stableService",
        "stableWeight",
    ]
    weights = "obj.data.spec.w = { obj.canaryWeight, obj.stableWeight } return obj.data"
    assert custom(weights, {"weight": 20})["spec"]["w"] == [20, 80]
    assert custom(weights, {"matches": [TESTER]})["spec"]["w"] == [-1, 101]


@pytest.mark.parametrize(
    ("source", "labels", "annotations"),
    [
        ("return { spec = obj.data.spec }", None, None),
        ("obj.data.labels.app = nil return obj.data", {}, {"b": "1", "a": "2"}),
        ("obj.data.labels = nil obj.data.annotations.c = '3' return obj.data", None, {"b": "1", "a": "2", "c": "3"}),
        ("return { spec = {}, labels = {}, annotations = {} }", {}, {}),
    ],
)
def test_labels_and_annotations(source, labels, annotations):
    """Labels and annotations that do not come back are gone."""
    meta = custom(source, {"weight": 20})["metadata"]
    assert (meta.get("labels"), meta.get("annotations")) == (labels, annotations)


@pytest.mark.parametrize(
    ("call", "source", "reason", "field"),
    [
        (ingress, "return { a = 1 }", "returned the value 1 in annotations; use tostring", "annotations[a]"),
        (ingress, "return { 'a' }", "returned annotations that are no table of names and texts", ""),
        (ingress, "\nreturn obj.matches[1]", ", line 2: attempt to index field 'matches' (a nil value)", ""),
        (custom, "return {}", "returned no data: it must be a table with the member spec", ""),
        (custom, "return { 1 }", "returned no data", ""),
        (custom, "return { spec = 'x' }", "returned no data", ""),
        (
            custom,
            "obj.data.labels.x = true return obj.data",
            "returned the value True in labels; use tostring",
            "labels[x]",
        ),
        (custom, "fail('spec.http', 'has no route')", "has no route", "spec.http"),
    ],
)
def test_mistakes(call, source, reason, field):
    """A mistake in a user's script names the script and the object."""
    with pytest.raises(KrmfnError) as raised:
        call(source, {"weight": 5})
    error = raised.value
    assert reason in error.message
    assert error.message.startswith("lua.traffic.routing.")
    assert error.field == field
    assert error.ref.name == "web"


@pytest.mark.parametrize(
    ("call", "value", "advice"),
    [(ingress, "1", 'or on the cookie value "always"'), (custom, "always", "; match on a header")],
)
def test_cookies_that_cannot_be_told(call, value, advice):
    """A cookie that Kruise's shapes have no word for is refused rather than dropped."""
    with pytest.raises(KrmfnError) as raised:
        call("return {}", {"matches": [{"cookies": [{"name": "beta", "value": value, "type": "Exact"}]}]})
    assert advice in raised.value.message
    assert raised.value.field == "matches"


@pytest.mark.parametrize("call", [ingress, custom])
@pytest.mark.parametrize(
    ("match", "words"),
    [
        ({"callers": [{"name": "app", "value": "front", "type": "Exact"}]}, "labels of who calls"),
        ({"method": {"value": "GET", "type": "Exact"}}, "the method of a request"),
    ],
)
def test_what_kruise_has_no_word_for(call, match, words):
    """A condition that Kruise's API does not have is refused: a script would send more requests than match."""
    with pytest.raises(KrmfnError, match=f"cannot be told of {words}; match on a header"):
        call("return {}", {"matches": [match]})


def test_ingress_that_goes_elsewhere():
    """The Ingress of a user's script is examined like that of ours."""
    with pytest.raises(KrmfnError, match="does not route to the Service shop, only to web, api"):
        ingress(ANNOTATE, {"stableService": "shop", "weight": 5})


def test_json():
    """``json.encode`` and ``json.decode`` are Kruise's, with nil and a reason for what they cannot do."""
    source = """
    local out = { e = json.encode({ b = 1, a = { 1, true, "x" }, c = {} }), d = json.decode('[1, {"a": "b"}]')[2].a }
    local x, why = json.decode('[1,')
    out.why = tostring(x) .. ": " .. why
    x, why = json.encode({ f = function() end })
    out.no = tostring(x) .. ": " .. why
    return out
    """
    made = ingress(source, {"weight": 5})["metadata"]["annotations"]
    assert made == {
        "e": '{"a":[1,true,"x"],"b":1,"c":[]}',
        "d": "b",
        "why": "nil: not JSON at byte 4",
        "no": "nil: a function is not data (at f)",
    }


def test_no_shared_state():
    """What one script leaves in its globals no other one finds."""
    ingress("leaked = 'x' string.upper = nil return {}", {"weight": 5})
    made = ingress("return { leaked = tostring(leaked), upper = ('x'):upper() }", {"weight": 5})
    assert made["metadata"]["annotations"] == {"leaked": "nil", "upper": "X"}


def test_limits():
    """The time a script gets can be shortened."""
    script = from_config({"lua.traffic.routing.ingress.nginx": "while true do end"}, "", "Ingress")
    with pytest.raises(KrmfnError, match=r"ran longer than 0.05 s"):
        render(script, INGRESS, STAGE | {"weight": 5}, Limits(wall=0.05))
