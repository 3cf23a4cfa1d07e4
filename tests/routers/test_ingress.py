"""What the providers of Ingresses write sends each request where the plan says, as their controllers read it."""

from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from krmfn.errors import KrmfnError
from krmfn.lua import find, render
from tests.routers.ingress import ALB, NGINX, OWN, Arrival, From, route
from tests.routers.meaning import PLANS, Request, changed, holds, share

PATHS = ("/", "/a", "/a/b", "/a/b/c", "/ab", "/abc", "/c", "/a/")
VALUES = ("1", "2", "a.b", "axb", "a b", "x=y,z", "1|2", "always")
PATTERNS = ("^a.*$", "^(1|2)$", "^1$|^2$", "^[^1]+$")
NAMES = ("x-user", "x-lane")

# Plans, Ingresses and requests ----------------------------------------------------------------------------------------


def conditions(names, values, patterns=()):
    """Draw conditions on headers, cookies or parameters."""
    exact = st.builds(lambda n, v: {"name": n, "value": v, "type": "Exact"}, st.sampled_from(names), values)
    if not patterns:
        return exact
    regex = st.builds(
        lambda n, v: {"name": n, "value": v, "type": "RegularExpression"},
        st.sampled_from(names),
        st.sampled_from(patterns),
    )
    return exact | regex


def only(part, condition):
    """Draw a match with one condition."""
    return condition.map(lambda each: {"headers": [], "queryParams": [], "cookies": [], part: [each]})


def several(part, names, values, patterns=()):
    """Draw matches on one and the same name."""
    return st.sampled_from(names).flatmap(
        lambda name: st.lists(only(part, conditions([name], values, patterns)), min_size=1, max_size=3)
    )


plain = st.sampled_from(VALUES[:-1])
always = conditions(["beta"], st.just("always"))
headers = several("headers", NAMES, plain, PATTERNS)
cookie = only("cookies", always).map(lambda match: [match])
queries = several("queryParams", ["lane", "Lane"], plain, PATTERNS)
paths = st.none() | st.builds(
    lambda kind, value: {"type": kind, "value": value}, st.sampled_from(["Exact", "PathPrefix"]), st.sampled_from(PATHS)
)


@st.composite
def conjunctions(draw):
    """Draw one match with several conditions and a path."""
    any_of = lambda names: st.lists(conditions(names, plain), max_size=2, unique_by=lambda each: each["name"])
    match = {"headers": draw(any_of(NAMES)), "queryParams": draw(any_of(["lane"])), "cookies": draw(any_of(["beta"]))}
    if path := draw(paths):
        match["path"] = path
    return [match] if any(match.values()) else draw(headers_of_alb)


headers_of_alb = several("headers", NAMES, plain)
MATCHES = {
    "nginx": headers | cookie | st.builds(lambda a, b: [*a, *b], headers, cookie),
    "higress": headers | cookie,
    "mse": headers | cookie | queries,
    "aliyun-alb": conjunctions()
    | headers_of_alb
    | st.lists(only("cookies", conditions(["beta", "lane"], st.sampled_from(VALUES))), min_size=1, max_size=4)
    | st.lists(only("queryParams", conditions(["lane", "Lane"], plain)), min_size=1, max_size=4),
}


@st.composite
def modifiers(draw):
    """Draw what happens to request headers, to each at most one thing, and no addition to what the author changes."""
    found = {"set": [], "add": [], "remove": []}
    for name in ("x-user", "x-team", "x-debug", "X-New"):
        part = draw(st.sampled_from(["", "set", "add" if name in ("x-user", "X-New") else "set", "remove"]))
        value = draw(st.sampled_from(["gray", "two words"]))
        if part:
            found[part].append(name if part == "remove" else {"name": name, "value": value})
    return found


@st.composite
def stages(draw, controller):
    """Draw a stage that a controller can express."""
    stage = {"name": "web-canary", "stableService": "web", "canaryService": "web-canary", "matches": []}
    stage["neutral"] = draw(st.sampled_from([*[False] * 9, True]))
    if stage["neutral"] or draw(st.sampled_from([False, False, False, True])):
        stage["weight"] = draw(st.integers(0, 100))
    else:
        stage["matches"] = draw(MATCHES[controller])
    if controller in OWN and draw(st.booleans()):
        stage["headerModifier"] = draw(modifiers())
    return stage


@st.composite
def ingresses(draw, controller):
    """Draw an Ingress that leads to the Service web, among others."""
    kinds = ["Prefix", "Prefix", "Prefix", "Exact", "ImplementationSpecific"]
    spots = st.tuples(
        st.sampled_from(["example.com", "b.example.com", "*.example.com", ""]), st.sampled_from(PATHS[:-1])
    )
    rules = []
    for host, path in draw(st.lists(spots, min_size=draw(st.sampled_from([1, 3])), max_size=6, unique=True)):
        service, port = draw(st.sampled_from(["web", "api"])), draw(st.sampled_from([80, 81]))
        backend = {"service": {"name": service, "port": {"number": port}}}
        rule = {"http": {"paths": [{"path": path, "pathType": draw(st.sampled_from(kinds)), "backend": backend}]}}
        rules.append({"host": host} | rule if host else rule)
    rules[draw(st.integers(0, len(rules) - 1))]["http"]["paths"][0]["backend"]["service"]["name"] = "web"
    spec = {"rules": rules}
    if draw(st.sampled_from([*[False] * 9, True])):
        spec["defaultBackend"] = {"service": {"name": draw(st.sampled_from(["web", "api"])), "port": {"number": 80}}}
    notes = draw(st.dictionaries(st.sampled_from(LEFT_OVERS[controller]), st.just("1"), max_size=2))
    if controller in OWN and draw(st.booleans()):
        notes[OWN[controller] + "request-header-control-update"] = "x-team shop\nx-debug yes and no\n"
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": "web", "annotations": notes},
        "spec": spec,
    }


LEFT_OVERS = {
    "nginx": [NGINX + "canary-weight", NGINX + "canary-by-header", "example.com/team"],
    "higress": [NGINX + "canary-by-header", "higress.io/canary-weight", "higress.io/canary-by-header"],
    "mse": [OWN["mse"] + "canary-by-query", OWN["mse"] + "canary-by-query-value", NGINX + "canary-by-cookie"],
    "aliyun-alb": [ALB + "canary-by-header", ALB + "canary-weight", ALB + "canary-by-cookie"],
}


def sent(names, values=VALUES):
    """Draw what a request says in headers, cookies or parameters."""
    return st.dictionaries(st.sampled_from(names), st.sampled_from(values), max_size=2)


requests = st.builds(
    Request,
    path=st.sampled_from(PATHS),
    headers=sent([*NAMES, "x-team", "x_user"], VALUES[:-1]),
    query=sent(["lane", "Lane"], VALUES[:-1]),
    cookies=sent(["beta", "lane"], [*VALUES, "never"]),
    host=st.sampled_from(["example.com", "b.example.com", "other.org"]),
)


def near(given, match, request):
    """Return a request for a rule of the Service web with what one match asks for."""
    values = {
        part: {
            each["name"]: "1" if each["type"] == "RegularExpression" else each["value"] for each in match.get(part, ())
        }
        for part in ("headers", "queryParams", "cookies")
    }
    rules = [rule for rule in given["spec"]["rules"] if rule["http"]["paths"][0]["backend"]["service"]["name"] == "web"]
    host = rules[len(request.cookies) % len(rules)].get("host", "other.org").replace("*", "b")
    path = match.get("path", {}).get("value", request.path)
    return Request(path, values["headers"], values["queryParams"], values["cookies"], host=host)


def expected(controller, given, stage, request):
    """Return where a request has to arrive, from where it does without a rollout."""
    part, shares = share(stage, request), Counter()
    for arrival, amount in route(controller, [given], request).items():
        if arrival.service != "web":
            shares[arrival] += amount
            continue
        modifier = None if stage["neutral"] else stage.get("headerModifier")
        twin = Arrival("web-canary", arrival.port, frozenset(changed(dict(arrival.headers), [modifier]).items()))
        shares[arrival] += amount * (1 - part)
        shares[twin] += amount * part
    return {arrival: amount for arrival, amount in shares.items() if amount}


def released(controller, given, stage, request):
    """Tell whether a request that the Service web gets is the canary's by one of the matches."""
    stable = any(each.service == "web" for each in route(controller, [given], request))
    return stable and not stage["neutral"] and any(holds(match, request) for match in stage["matches"])


def may_refuse(controller, given, stage, asked, field):
    """Tell whether a plan cannot be had: for a default backend, or since no such request leads to the Service web."""
    nothing = field == "matches" and not any(released(controller, given, stage, each) for each in asked)
    return nothing or field == "spec.defaultBackend"


@pytest.mark.parametrize("controller", ["nginx", "higress", "mse", "aliyun-alb"])
def test_every_request_arrives(controller):
    """Each request goes where the plan says, and for most plans there is a way to say it."""
    script, tally = find("networking.k8s.io", "Ingress", controller), Counter()

    @settings(max_examples=PLANS, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(ingresses(controller), stages(controller), st.lists(requests, min_size=4, max_size=8))
    def run(given, stage, asked):
        asked += [near(given, match, each) for each in asked[:4] for match in stage["matches"]]
        try:
            made = render(script, given, stage)
        except KrmfnError as error:
            if not may_refuse(controller, given, stage, asked, error.field):
                raise
            tally["refused"] += 1
            return
        tally["rendered"] += 1
        for request in asked:
            arrived = route(controller, [given, *made], request)
            assert arrived == expected(controller, given, stage, request)
            tally["by match"] += released(controller, given, stage, request)

    run()
    assert tally["rendered"] > 3 * tally["refused"]
    assert tally["by match"] > PLANS // 2


# One by one -----------------------------------------------------------------------------------------------------------

GIVEN = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "Ingress",
    "metadata": {"name": "web"},
    "spec": {
        "rules": [
            {
                "host": "example.com",
                "http": {
                    "paths": [
                        {
                            "path": "/",
                            "pathType": "Prefix",
                            "backend": {"service": {"name": "web", "port": {"number": 80}}},
                        }
                    ]
                },
            }
        ]
    },
}
STAGE = {"name": "web-canary", "stableService": "web", "canaryService": "web-canary", "matches": [], "neutral": False}


def services(controller, matches, request, *others, given=GIVEN):
    """Return the Services that a request arrives at."""
    made = render(find("networking.k8s.io", "Ingress", controller), given, {**STAGE, "matches": matches})
    return {each.service: amount for each, amount in route(controller, [given, *made, *others], request).items()}


def header(value, name="x-user"):
    """Return a match on one header."""
    return {"headers": [{"name": name, "value": value, "type": "Exact"}]}


@pytest.mark.parametrize(
    ("source", "service"), [("10.1.2.3", "web-canary"), ("192.168.7.7", "web-canary"), ("10.1.2.4", "web")]
)
def test_source_address(source, service):
    """ALB sends the addresses that the header SourceIp names to the canary."""
    request = From(source=source)
    assert services("aliyun-alb", [header("192.168.0.0/16;10.1.2.3", "SourceIp")], request) == {service: Fraction(1)}


@pytest.mark.parametrize(
    ("cookies", "service"),
    [({"beta": "1"}, "web-canary"), ({"lane": "gray", "beta": "2"}, "web-canary"), ({"beta": "gray"}, "web")],
)
def test_cookie_header(cookies, service):
    """ALB sends requests with one of the cookies that the header Cookie names to the canary."""
    request = Request(cookies=cookies)
    assert services("aliyun-alb", [header("beta=1;lane=gray", "Cookie")], request) == {service: Fraction(1)}


@pytest.mark.parametrize(("order", "service"), [("5", "shop"), ("20", "web-canary")])
def test_neighbour_on_one_load_balancer(order, service):
    """The canary's rules stand where those of its Ingress do, not before those of everybody."""
    neighbour = {
        **GIVEN,
        "metadata": {"name": "shop", "annotations": {ALB + "order": order}},
        "spec": {
            "rules": [
                {
                    "http": {
                        "paths": [
                            {
                                "path": "/shop",
                                "pathType": "Prefix",
                                "backend": {"service": {"name": "shop", "port": {"number": 80}}},
                            }
                        ]
                    }
                }
            ]
        },
    }
    request = Request("/shop/cart", {"x-user": "tester"})
    assert services("aliyun-alb", [header("tester")], request, neighbour) == {service: Fraction(1)}


@pytest.mark.parametrize("controller", ["nginx", "higress", "mse", "aliyun-alb"])
@pytest.mark.parametrize(("value", "service"), [("anna", "web-canary"), ("ben", "web-canary"), ("carl", "web")])
def test_any_of_several_matches(controller, value, service):
    """Where Kruise's scripts keep the last of several values of a header, each of them goes to the canary."""
    request = Request(headers={"x-user": value})
    assert services(controller, [header("anna"), header("ben")], request) == {service: Fraction(1)}


@pytest.mark.parametrize(
    ("annotations", "request_", "canary"),
    [
        ({"canary-by-header": "x-user"}, Request(headers={"x-user": "always"}), 1),
        ({"canary-by-header": "x-user", "canary-weight": "10"}, Request(headers={"x-user": "never"}), 0),
        ({"canary-by-header": "x-user", "canary-weight": "10"}, Request(headers={"x-user": "1"}), Fraction(1, 10)),
        ({"canary-by-cookie": "beta", "canary-weight": "10"}, Request(cookies={"beta": "never"}), 0),
        ({"canary-by-cookie": "beta", "canary-weight": "10"}, Request(cookies={"beta": "1"}), Fraction(1, 10)),
        ({"canary-weight": "10", "canary-weight-total": "1000"}, Request(), Fraction(1, 100)),
        ({"canary-by-header": "x-user", "canary-by-header-value": "a=b"}, Request(headers={"x-user": "a=b"}), 0),
    ],
)
def test_the_router_reads_ingress_nginx(annotations, request_, canary):
    """The router knows what the controller's documentation says of annotations that the provider never writes."""
    made = render(find("networking.k8s.io", "Ingress", "nginx"), GIVEN, {**STAGE, "weight": 0})
    made[0]["metadata"]["annotations"] = {NGINX + key: text for key, text in {"canary": "true", **annotations}.items()}
    arrived = {each.service: amount for each, amount in route("nginx", [GIVEN, *made], request_).items()}
    assert arrived.get("web-canary", 0) == canary
