"""ApisixRoute: at every stage, APISIX sends each request where the plan says."""

from collections import Counter
from dataclasses import replace
from functools import partial
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from krmfn.lua import find
from tests.routers.apisix import READINGS, Arrival, Reading, refusals, route
from tests.routers.meaning import PLANS, Request
from tests.routers.plans import Law, Manifest, Shares, maybe, record, schema, stages

SCRIPT = find("apisix.apache.org", "ApisixRoute")
assert SCRIPT
VALID = schema("apisixroutes.apisix.apache.org")

EXPRESSIONS = [
    {"subject": {"scope": "Header", "name": "X"}, "op": "Equal", "value": "1"},
    {"subject": {"scope": "Header", "name": "x"}, "op": "NotEqual", "value": "1"},
    {"subject": {"scope": "Query", "name": "q"}, "op": "In", "set": ["1", "3"]},
    {"subject": {"scope": "Cookie", "name": "c"}, "op": "RegexMatch", "value": "^1"},
    {"subject": {"scope": "Path"}, "op": "RegexMatch", "value": "^/a"},
]
MATCH = record(
    hosts=maybe(st.sampled_from([["example.com"], ["*.com"], ["other.com"], ["other.com", "*.com"]])),
    paths=st.lists(st.sampled_from(["/*", "/a", "/a*", "/a/*", "/a/b", "/b"]), min_size=1, max_size=2, unique=True),
    methods=maybe(st.sampled_from([["GET"], ["POST"], []]), odds=2),
    exprs=maybe(st.lists(st.sampled_from(EXPRESSIONS), max_size=2), odds=1),
)
WEIGHT = maybe(st.sampled_from([0, 1, 3, 50, 100]))
BACKEND = record(
    serviceName=st.sampled_from(["web", "web", "old"]),
    servicePort=st.sampled_from([80, 80, "http"]),
    subset=maybe(st.just("blue"), odds=4),
    weight=WEIGHT,
)
RULE = record(
    match=MATCH,
    backends=st.lists(
        BACKEND, min_size=1, max_size=3, unique_by=lambda one: (one["serviceName"], one["servicePort"], "subset" in one)
    ),
    upstreams=maybe(st.just([{"name": "outside", "weight": 7}]), odds=5),
    timeout=maybe(st.just({"read": "5s"})),
)


@st.composite
def routes(draw: st.DrawFn) -> Manifest:
    """Make a route of up to four rules, which mostly have priorities of their own."""
    rules: list[dict[str, Any]] = draw(st.lists(RULE, min_size=1, max_size=4))
    priorities = draw(st.permutations([None, 1, 2, 5, -3]))
    for index, rule in enumerate(rules):
        rule["name"] = f"rule{index}"
        if priorities[index] is not None:
            rule["priority"] = priorities[index]
    return {
        "apiVersion": "apisix.apache.org/v2",
        "kind": "ApisixRoute",
        "metadata": {"name": "web", "namespace": "demo"},
        "spec": {"http": rules},
    }


def twin(arrival: Arrival) -> Arrival | None:
    """Return the canary's counterpart of a stable arrival."""
    return arrival._replace(name="web-canary") if arrival.name == "web" else None


def anchored(stage: Manifest) -> Manifest:
    """Return a stage whose regular expressions are about all of a path, also to those who search."""
    for match in stage["matches"]:
        if match.get("path", {}).get("type") == "RegularExpression":
            match["path"] = {**match["path"], "value": f"^{match['path']['value']}$"}
    return stage


HOSTS = st.sampled_from(["example.com", "other.com", "example.org"])
STAGES = stages(SCRIPT, pattern="^(1|3)$").map(anchored)


def arrive(host: str, reading: Reading, manifests: list[Manifest], request: Request) -> Shares:
    """Route by the only object there is."""
    (only,) = manifests
    assert refusals(only) == []
    return {**route(only, replace(request, host=host), reading)}


def law_of(host: str, reading: Reading) -> Law:
    """Return what a plan is held to."""
    reasons = {"leaves no room": "priority", "does not lead": "http"}
    return Law(SCRIPT, partial(arrive, host, reading), twin, reasons)


def test_every_request_arrives_where_the_plan_says() -> None:
    """What matches goes to the canary, of the rest the weight does, and nobody else notices."""
    kept = Counter[bool]()

    @settings(max_examples=PLANS, deadline=None)
    @given(routes(), STAGES, HOSTS, st.sampled_from(READINGS), st.integers(0, 2**32))
    def run(base: Manifest, stage: Manifest, host: str, reading: Reading, seed: int) -> None:
        VALID(base)
        law = law_of(host, reading)
        if made := law.check(base, stage, seed):
            VALID(made[0])
        kept.update(law.kept)

    run()
    assert kept[True] > kept[False]


@settings(max_examples=PLANS // 4, deadline=None)
@given(routes(), STAGES, st.integers(0, 100), st.integers(0, 2**32))
def test_a_canary_that_the_author_has_written(base: Manifest, stage: Manifest, part: int, seed: int) -> None:
    """Where the canary stands beside the stable Service already, the two divide what they have together."""
    both = {**base, "spec": {"http": [beside(rule, part) for rule in base["spec"]["http"]]}}
    law_of("example.com", READINGS[0]).check_written(base, both, stage, seed)


def beside(rule: Manifest, part: int) -> Manifest:
    """Return a rule that gives part of what the stable Service has to the canary."""
    backends, upstreams = [], [{**one, "weight": 100 * one["weight"]} for one in rule.get("upstreams", [])]
    alone = len(rule["backends"]) + len(upstreams) == 1
    for one in rule["backends"]:
        weight = 100 * (1 if alone else one.get("weight", 100))
        backends.append({**one, "weight": weight})
        if one["serviceName"] == "web" and weight:
            own = weight * part // 100
            backends[-1]["weight"] -= own
            backends.append({**one, "serviceName": "web-canary", "weight": own})
    return {**rule, "backends": backends} | ({"upstreams": upstreams} if upstreams else {})
