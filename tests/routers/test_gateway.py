"""HTTPRoute and GRPCRoute: at every stage, every gateway sends each request where the plan says.

Generated routes, stages and requests; and all cases, whose routes are read by the same router.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from fractions import Fraction
from itertools import product
from pathlib import Path
from random import Random
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from krmfn.errors import KrmfnError
from krmfn.lua import find, render
from krmfn.lua.cases import Case, cases, full
from krmfn.lua.room import library
from tests.routers.gateway import READINGS, Arrival, Reading, copies, refusals, route
from tests.routers.meaning import PLANS, Request, changed, holds, share

GROUP = "gateway.networking.k8s.io"
CRDS = Path(__file__).parent.parent.parent.parent / "shared" / "crds"
NAMES = {"name": "web-canary", "stableService": "web", "canaryService": "web-canary"}
REQUESTS = 60  # of all that there are, for each plan

Strategy = st.SearchStrategy[Any]

# Conditions, from a world so small that everything meets everything.

PATHS = ("/", "/a", "/a/", "/a/b", "/a/b/", "/a/b/c", "/ab", "/b")
HEADERS = {"X": ("1", "2"), "Y": ("1",), "Z": ("1",)}
REGEX = "RegularExpression"


def often(*weighted: tuple[int, Strategy]) -> Strategy:
    """Choose between strategies, each as often as its number says (``one_of`` forgets what it is given twice)."""
    return st.sampled_from([one for times, one in weighted for _ in range(times)]).flatmap(lambda chosen: chosen)


def maybe(strategy: Strategy, *, odds: int = 1) -> Strategy:
    """Return None as often as a value, or `odds` times as often."""
    return often((odds, st.none()), (1, strategy))


def without_none(parts: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what there is not."""
    return {key: value for key, value in parts.items() if value}


def conditions(names: Mapping[str, tuple[str, ...]], most: int = 2) -> Strategy:
    """Make a list of conditions, of which no two have the same name."""
    exact = st.sampled_from([(name, value) for name, values in names.items() for value in values])
    one = st.builds(
        lambda pair, kind, lower: (
            {"name": pair[0].lower() if lower else pair[0], "type": kind, "value": pair[1]}
            if kind == "Exact"
            else {"name": pair[0], "type": kind, "value": "^(1|3)$"}
        ),
        exact,
        st.sampled_from(["Exact", "Exact", "Exact", REGEX]),
        st.booleans() if "X" in names else st.just(value=False),
    )
    return st.lists(one, max_size=most, unique_by=lambda condition: condition["name"].lower())


HTTP_PATH = st.builds(
    lambda kind, value: {"type": kind, "value": value}, st.sampled_from(["PathPrefix", "Exact"]), st.sampled_from(PATHS)
)
PATTERN = st.sampled_from([{"type": REGEX, "value": value} for value in ("^/a/[^/]*$", "^/b.*$", "^/a/b.*$")])
ANY_PATH = often((9, HTTP_PATH), (1, PATTERN))
HTTP_MATCH = st.builds(
    lambda **parts: without_none(parts),
    path=maybe(ANY_PATH),
    method=maybe(st.sampled_from(["GET", "POST"]), odds=3),
    headers=conditions(HEADERS),
    queryParams=conditions({"q": ("1",), "r": ("1",)}, 1),
)
WANTED = st.builds(
    lambda **parts: without_none(parts),
    path=maybe(HTTP_PATH),
    headers=conditions(HEADERS),
    queryParams=conditions({"q": ("1",), "r": ("1",)}, 1),
)
GRPC_MATCH = st.builds(
    lambda **parts: without_none(parts),
    method=maybe(
        st.sampled_from(
            [
                {"service": "a.B"},
                {"service": "a.C", "method": "Get"},
                {"service": "a.B", "method": "Get"},
                {"method": "Get"},
                {"method": "Set", "type": "Exact"},
                {"method": "^[GS]et$", "type": REGEX},
            ]
        )
    ),
    headers=conditions(HEADERS),
)

# Rules.

BACKENDS = st.lists(
    st.builds(
        lambda name, port, weight, filters: (
            without_none({"name": name, "filters": filters})
            | {"port": port}
            | ({} if weight is None else {"weight": weight})
        ),
        st.sampled_from(["web", "web", "web", "api", "old"]),
        st.sampled_from([80, 80, 80, 81]),
        st.sampled_from([None, None, 0, 1, 3, 9, 90, 100]),
        maybe(
            st.just(
                [{"type": "RequestHeaderModifier", "requestHeaderModifier": {"add": [{"name": "V", "value": "b"}]}}]
            ),
            odds=6,
        ),
    ),
    min_size=1,
    max_size=3,
)
FILTERS = st.lists(
    st.sampled_from(
        [
            {
                "type": "RequestHeaderModifier",
                "requestHeaderModifier": {"set": [{"name": "V", "value": "r"}], "remove": ["y"]},
            },
            {"type": "ResponseHeaderModifier", "responseHeaderModifier": {"remove": ["server"]}},
            {"type": "RequestMirror", "requestMirror": {"backendRef": {"name": "web", "port": 80}}},
            {"type": "ExtensionRef", "extensionRef": {"group": "example.com", "kind": "Limit", "name": "one"}},
        ]
    ),
    max_size=2,
    unique_by=lambda one: str(one["type"]),
)
REWRITE = st.sampled_from(
    [{"type": "ReplacePrefixMatch", "replacePrefixMatch": value} for value in ("/", "/new", "/new/", "")]
)


@st.composite
def rule(draw: st.DrawFn, match: Strategy, *, http: bool) -> dict[str, Any]:
    """Make a rule: some redirect, most lead somewhere, some of these rewrite the prefix."""
    made: dict[str, Any] = {"matches": draw(st.lists(match, max_size=3)), "filters": draw(FILTERS)}
    prefix = [one.get("path", {}).get("type", "PathPrefix") for one in made["matches"]] == ["PathPrefix"]
    change = draw(maybe(REWRITE)) if http and prefix else None
    if change:
        made["matches"][0].setdefault("path", {"type": "PathPrefix", "value": "/"})
    if http and draw(st.integers(0, 7)) == 0:
        path = {"path": change} if change else {}
        redirect = {"type": "RequestRedirect", "requestRedirect": {"scheme": "https"} | path}
        return without_none(made | {"filters": [redirect]})
    if change:
        made["filters"] = [*made["filters"], {"type": "URLRewrite", "urlRewrite": {"path": change}}]
    if http:
        made["timeouts"] = draw(maybe(st.just({"request": "5s"})))
    made["name"] = draw(maybe(st.just("named")))
    return without_none(made | {"backendRefs": draw(BACKENDS)})


@st.composite
def routes(draw: st.DrawFn, kind: str) -> dict[str, Any]:
    """Make a route of up to four rules, of which at least one leads to the stable Service."""
    http = kind == "HTTPRoute"
    rules = draw(st.lists(rule(HTTP_MATCH if http else GRPC_MATCH, http=http), min_size=1, max_size=4))
    if not any(leads(one) for one in rules):
        rules[-1]["backendRefs"] = [{"name": "web", "port": 80}]
        rules[-1]["filters"] = []
    for index, one in enumerate(rules):
        if "name" in one:
            one["name"] += str(index)
    metadata = {"name": "web"} | draw(st.sampled_from([{}, {"namespace": "demo"}]))
    return {"apiVersion": f"{GROUP}/v1", "kind": kind, "metadata": metadata, "spec": {"rules": rules}}


def leads(one: Mapping[str, Any]) -> bool:
    """Tell whether a rule sends requests to the stable Service."""
    return any(ref["name"] == "web" and ref.get("weight", 1) for ref in one.get("backendRefs") or ())


@st.composite
def stages(draw: st.DrawFn, kind: str) -> dict[str, Any]:
    """Make a stage: neutral, a weight, matches, or both."""
    wanted = (
        WANTED
        if kind == "HTTPRoute"
        else st.builds(lambda headers: without_none({"headers": headers}), conditions(HEADERS))
    )
    weight = st.fixed_dictionaries({"weight": st.integers(0, 100)})
    matches = st.fixed_dictionaries({"matches": st.lists(wanted, min_size=1, max_size=3)})
    both = st.builds(dict[str, Any].__or__, matches, weight)
    traffic = draw(often((1, st.just({"neutral": True})), (2, weight), (4, matches), (1, both)))
    modifier = draw(
        maybe(
            st.sampled_from(
                [
                    {"set": [{"name": "V", "value": "canary"}]},
                    {"add": [{"name": "v", "value": "canary"}], "remove": ["X"]},
                    {"add": [{"name": "Y", "value": "new"}]},
                ]
            )
        )
    )
    return full(NAMES | traffic | without_none({"headerModifier": modifier}))


# Requests.

VALUES = {"x": (None, "1", "2", "3"), "y": (None, "1"), "z": (None, "1")}
HTTP_REQUESTS = [
    Request(path, without_none(dict(zip(VALUES, values, strict=True))), without_none({"q": q, "r": r}), method=method)
    for path in ("/", "/a", "/a/", "/a/b", "/a/b/", "/a/b/c", "/a/b/c/d", "/ab", "/b", "/bb")
    for values in product(*VALUES.values())
    for q, r in ((None, None), ("1", None), ("1", "1"), ("2", "1"))
    for method in ("GET", "POST")
]
GRPC_REQUESTS = [
    Request(path, without_none(dict(zip(VALUES, values, strict=True))), method="POST")
    for path in ("/a.B/Get", "/a.B/Set", "/a.C/Get", "/a.D/Let")
    for values in product(*VALUES.values())
]
ALL = {"HTTPRoute": HTTP_REQUESTS, "GRPCRoute": GRPC_REQUESTS}


def some(kind: str, stage: Mapping[str, Any], seed: int) -> list[Request]:
    """Return as many requests as there is time for; half of them are the canary's, if there are any."""
    random = Random(seed)  # noqa: S311 - nobody has to be surprised
    matching = [one for one in ALL[kind] if any(holds(match, one) for match in stage["matches"])]
    return [one for group in (ALL[kind], matching) for one in random.sample(group, min(len(group), REQUESTS))]


def expected(base: Mapping[Arrival, Fraction], stage: Mapping[str, Any], request: Request) -> dict[Arrival, Fraction]:
    """Return where requests have to arrive, from where they do without a rollout."""
    canary, found = share(stage, request), defaultdict[Arrival, Fraction](Fraction)
    for arrival, amount in base.items():
        if arrival.service != "web":
            found[arrival] += amount
            continue
        headers = frozenset(changed(dict(arrival.headers), [stage.get("headerModifier")]).items())
        found[arrival] += amount * (1 - canary)
        found[arrival._replace(service="web-canary", headers=headers)] += amount * canary
    return {arrival: amount for arrival, amount in found.items() if amount}


def schema(kind: str) -> Callable[[Any], None]:
    """Return what raises where an object is not as the API says; nothing happens without the schemas."""
    path = CRDS / f"{kind.lower()}s.{GROUP}.yaml"
    if not path.exists():
        return lambda _: None
    versions = yaml.safe_load(path.read_text())["spec"]["versions"]
    known = next(version for version in versions if version["name"] == "v1")
    validate: Callable[[Any], None] = jsonschema.Draft202012Validator(known["schema"]["openAPIV3Schema"]).validate
    return validate


VALID = {kind: schema(kind) for kind in ALL}
SCRIPTS = {kind: script for kind in ALL if (script := find(GROUP, kind))}


def rendered(given_: dict[str, Any], stage: dict[str, Any]) -> dict[str, Any]:
    """Return the one route that the provider makes, which has to be valid."""
    (made,) = render(SCRIPTS[given_["kind"]], given_, stage)
    assert refusals(made) == []
    VALID[made["kind"]](made)
    return made


# Each refusal that generated plans may meet.
REASONS = {
    "cannot be combined with": "two conditions on one header",
    "left to each gateway": "regular expressions",
    "would turn that around": "a guard that cannot be written",
    "no request can satisfy": "a match without requests",
    "the Gateway API allows": "limits",
    "give this backend a rule of its own": "copies of what goes elsewhere",
}


def why(error: KrmfnError) -> str:
    """Return the reason of a refusal, which has to be one that we know of."""
    return next(reason for words, reason in REASONS.items() if words in error.message)


@pytest.mark.parametrize("kind", sorted(ALL))
def test_every_request_arrives_where_the_plan_says(kind: str) -> None:
    """What matches goes to the canary, of the rest the weight does, and nobody else notices."""
    kept = Counter[bool]()

    @settings(max_examples=PLANS)
    @given(routes(kind), stages(kind), st.sampled_from(READINGS), st.integers(0, 2**32))
    def law(base: dict[str, Any], stage: dict[str, Any], reading: Reading, seed: int) -> None:
        VALID[kind](base)
        requests = some(kind, stage, seed)
        try:
            made = rendered(base, stage)
        except KrmfnError as error:
            event(why(error))
            kept[False] += 1
            if why(error) == "a match without requests":
                unserved(base, stage["matches"][int(error.field[8:-1])], reading)
            return
        kept[True] += 1
        for request in requests:
            there = expected(route(base, request, reading), stage, request)
            assert route(made, request, reading) == there, request
            assert copies(made, request, reading) == copies(base, request, reading)

    law()
    assert kept[True] > kept[False]


def alone(base: dict[str, Any]) -> dict[str, Any]:
    """Return a route whose rules lead either to the stable Service or elsewhere."""
    rules = []
    for one in base["spec"]["rules"]:
        refs = [ref for ref in one.get("backendRefs") or () if ref["name"] == "web" and ref.get("weight", 1)]
        rules.append(one | {"backendRefs": refs} if refs else one)
    return base | {"spec": {"rules": rules}}


@st.composite
def mirrors(draw: st.DrawFn, kind: str) -> dict[str, Any]:
    """Make what a stage says about copies."""
    matches = draw(
        st.lists(WANTED if kind == "HTTPRoute" else st.builds(dict, headers=conditions(HEADERS)), max_size=2)
    )
    for one in matches:
        if kind == "HTTPRoute" and draw(st.booleans()):
            one["method"] = {"type": "Exact", "value": draw(st.sampled_from(["GET", "POST"]))}
    return {"percent": draw(st.sampled_from([1, 35, 100])), "matches": matches}


def mirrored(stage: Mapping[str, Any], base: Mapping[Arrival, Fraction], request: Request) -> Counter[Any]:
    """Return the copies that a stage asks for of a request that arrives at the stable Service without a rollout."""
    wanted, first = stage["mirror"], next((one for one in base if one.service == "web"), None)
    if first is None or any(holds(match, request) for match in stage["matches"]):
        return Counter()
    if wanted["matches"] and not any(holds(match, request) for match in wanted["matches"]):
        return Counter()
    return Counter([("web-canary", first.port, wanted["percent"])])


@pytest.mark.parametrize("kind", sorted(ALL))
def test_copies_arrive_at_the_canary_and_change_nothing_else(kind: str) -> None:
    """With and without copies every request arrives at the same places; of which it is copied, the stage says."""
    kept = Counter[bool]()

    @settings(max_examples=PLANS // 2)
    @given(routes(kind), stages(kind), mirrors(kind), st.sampled_from(READINGS), st.integers(0, 2**32))
    def law(base: dict[str, Any], stage: dict[str, Any], wanted: dict[str, Any], reading: Reading, seed: int) -> None:
        told = stage | {"neutral": False}
        base = alone(base) if seed % 4 else base
        try:
            made, plain = rendered(base, told | {"mirror": wanted}), rendered(base, told)
        except KrmfnError as error:
            event(why(error))
            kept[False] += 1
            return
        kept[True] += 1
        for request in some(kind, told | {"matches": [*told["matches"], *wanted["matches"]]}, seed):
            assert route(made, request, reading) == route(plain, request, reading)
            found = copies(base, request, reading) + mirrored(
                told | {"mirror": wanted}, route(base, request, reading), request
            )
            assert copies(made, request, reading) == found, request

    law()
    # Twice as many conditions have to meet as in a stage without copies.
    assert 3 * kept[True] > kept[False]


def lead(service: str, *matches: dict[str, Any]) -> dict[str, Any]:
    """Return a rule."""
    return {"matches": list(matches), "backendRefs": [{"name": service, "port": 80}]}


def ask(*names: str) -> dict[str, Any]:
    """Return a match for headers."""
    return {"headers": [{"name": name, "type": "Exact", "value": "1"} for name in names]}


def at(path: str) -> dict[str, Any]:
    """Return a match for a prefix."""
    return {"path": {"type": "PathPrefix", "value": path}}


RARE = {
    "a guard that needs a guard": (
        [lead("old", ask("a", "b")), lead("api", ask("c", "d")), lead("web")],
        ask("a", "e", "f"),
    ),
    "the same, from behind": (
        [lead("web"), lead("old", ask("a", "b")), lead("api", ask("c", "d"))],
        ask("a", "e", "f"),
    ),
    "a guard that leads to the stable Service": (
        [lead("web", ask("a")), lead("api", ask("b")), lead("web", ask("c")), lead("old")],
        ask("d", "e"),
    ),
    "a prefix that only looks like one": ([lead("web", at("/ab")), lead("web", at("/a")), lead("old")], at("/a")),
    "one prefix, with and without a slash": (
        [lead("web", at("/")), lead("api", at("/a/") | ask("b"))],
        at("/a") | ask("a"),
    ),
    "the same, the other way round": ([lead("web", at("/")), lead("api", at("/a") | ask("b"))], at("/a/") | ask("a")),
}


@pytest.mark.parametrize("reading", READINGS, ids=lambda reading: "".join(str(int(one)) for one in reading))
@pytest.mark.parametrize("name", sorted(RARE))
def test_what_is_rarely_generated(name: str, reading: Reading) -> None:
    """The same, for plans where more than two rules or two readings are at odds, and all requests."""
    rules, match = RARE[name]
    base = {"apiVersion": f"{GROUP}/v1", "kind": "HTTPRoute", "metadata": {"name": "web"}, "spec": {"rules": rules}}
    stage = full(NAMES | {"matches": [match]})
    made = rendered(base, stage)
    for path, count in product(("/", "/a", "/a/", "/a/b", "/ab"), range(64)):
        request = Request(path, {name: "1" for bit, name in enumerate("abcdef") if count >> bit & 1})
        there = expected(route(base, request, reading), stage, request)
        assert route(made, request, reading) == there, request


def unserved(base: dict[str, Any], match: dict[str, Any], reading: Reading) -> None:
    """No request that satisfies a match goes to the stable Service."""
    for request in ALL[base["kind"]]:
        if holds(match, request):
            assert "web" not in {arrival.service for arrival in route(base, request, reading)}


@given(routes("HTTPRoute"), stages("HTTPRoute"), st.integers(0, 100), st.integers(0, 2**32))
@settings(max_examples=PLANS // 4)
def test_a_canary_that_the_author_has_written(
    base: dict[str, Any], stage: dict[str, Any], part: int, seed: int
) -> None:
    """Where the canary stands beside the stable Service already, the two divide what they have together."""
    for one in base["spec"]["rules"]:
        backends = Counter((ref["name"], ref["port"]) for ref in one.get("backendRefs") or ())
        assume(max(backends.values(), default=1) == 1)
    both = {**base, "spec": {"rules": [beside(one, part) for one in base["spec"]["rules"]]}}
    try:
        made = rendered(both, stage)
    except KrmfnError as error:
        why(error)
        return
    for request in some("HTTPRoute", stage, seed):
        assert route(made, request) == expected(route(base, request), stage, request), request


def beside(one: dict[str, Any], part: int) -> dict[str, Any]:
    """Return a rule that gives part of what the stable Service has to the canary."""
    refs = []
    for ref in one.get("backendRefs") or ():
        weight = ref.get("weight", 1) * 100
        refs.append({**ref, "weight": weight})
        if ref["name"] == "web" and weight:
            canary = weight * part // 100
            refs[-1:] = [{**ref, "weight": weight - canary}, {**ref, "name": "web-canary", "weight": canary}]
    return {**one, "backendRefs": refs} if refs else one


@given(routes("HTTPRoute"), stages("HTTPRoute"))
@settings(max_examples=PLANS // 4)
def test_what_does_not_lead_to_the_stable_service_is_kept(base: dict[str, Any], stage: dict[str, Any]) -> None:
    """The author's rules stay in their order, and those that do not lead to the stable Service stay as they are."""
    try:
        made = rendered(base, stage)
    except KrmfnError as error:
        why(error)
        return
    left = [one for one in base["spec"]["rules"] if not leads(one)]
    for one in made["spec"]["rules"]:
        if left and one == left[0]:
            left.pop(0)
    assert left == []
    names = [one["name"] for one in made["spec"]["rules"] if "name" in one]
    assert names == [one["name"] for one in base["spec"]["rules"] if "name" in one]
    assert {**made, "spec": {}} == {**base, "spec": {}}


CASES = [case for case in cases(str(Path(library()) / GROUP)) if case.given["kind"] in ALL]


@pytest.mark.parametrize("case", [case for case in CASES if case.expected], ids=lambda case: Path(case.path).stem)
def test_cases_are_valid(case: Case) -> None:
    """The API server would take what the cases expect."""
    for manifest in case.expected or ():
        assert refusals(manifest) == []
        VALID[manifest["kind"]](manifest)
