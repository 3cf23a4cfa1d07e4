"""Mapping: at every stage, Emissary sends each request where the plan says."""

from collections import Counter
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from krmfn.lua import find, render
from krmfn.lua.cases import full
from tests.routers.emissary import Arrival, route
from tests.routers.meaning import PLANS, Request
from tests.routers.plans import Law, Manifest, Shares, maybe, record, schema, stages

SCRIPT = find("getambassador.io", "Mapping")
assert SCRIPT
VALID = schema("mappings.getambassador.io")

SPEC = record(
    prefix=st.sampled_from(["/", "/", "/a", "/a/b"]),
    prefix_exact=maybe(st.just(value=True), odds=4),
    service=st.sampled_from(["web", "web:80", "http://web.demo:80", "web.demo.svc.cluster.local"]),
    rewrite=maybe(st.just("/new/")),
    method=maybe(st.just("GET"), odds=3),
    precedence=maybe(st.just(3), odds=4),
    timeout_ms=maybe(st.just(5000), odds=2),
    headers=maybe(st.sampled_from([{"X": "1"}, {"x": True}, {"Y": "1", "x": "2"}]), odds=2),
    regex_headers=maybe(st.sampled_from([{"x": "1|2"}, {"Y": ".*"}]), odds=3),
    query_parameters=maybe(st.sampled_from([{"q": "1"}, {"q": True, "r": "1"}]), odds=3),
    regex_query_parameters=maybe(st.just({"r": "1|3"}), odds=4),
)
NEIGHBOUR = record(
    prefix=st.sampled_from(["/a/", "/b", "/a/b/c"]), service=st.just("old"), method=maybe(st.just("GET"))
)


def mapping(name: str, spec: Manifest) -> Manifest:
    """Return a Mapping as version v2 has it, where a header may be asked for with `true`."""
    metadata = {"name": name, "namespace": "demo"}
    return {"apiVersion": "getambassador.io/v2", "kind": "Mapping", "metadata": metadata, "spec": spec}


def twin(arrival: Arrival) -> Arrival | None:
    """Return the canary's counterpart of a stable arrival."""
    return arrival._replace(service=arrival.service.replace("web", "web-canary")) if "web" in arrival.service else None


def arrive(beside: list[Manifest], manifests: list[Manifest], request: Request) -> Shares:
    """Route by all Mappings that there are then."""
    known = {one["metadata"]["name"] for one in manifests}
    return route([one for one in beside if one["metadata"]["name"] not in known] + manifests, request)


REASONS = {"a second regular expression": "regex"}


def test_every_request_arrives_where_the_plan_says() -> None:
    """What matches goes to the canary, of the rest the weight does, and nobody else notices."""
    kept = Counter[bool]()

    @settings(max_examples=PLANS, deadline=None)
    @given(SPEC, NEIGHBOUR, stages(SCRIPT), st.integers(0, 2**32))
    def run(spec: Manifest, other: Manifest, stage: Manifest, seed: int) -> None:
        base = mapping("web", spec)
        VALID(base)
        law = Law(SCRIPT, partial(arrive, [base, mapping("old", other)]), twin, REASONS)
        made = law.check(base, stage, seed) or []
        names = [one["metadata"]["name"] for one in made]
        assert len(names) == len({"web", *names}) - 1
        for one in made:
            VALID(one)
        kept.update(law.kept)

    run()
    assert kept[True] > kept[False]


@pytest.mark.parametrize(
    ("cookies", "service"),
    [
        ({"beta": "1.0"}, "web-canary"),
        ({"lane": "a", "beta": "1.0"}, "web-canary"),
        ({"beta": "1.0", "lane": "a"}, "web-canary"),
        ({"beta": "1.00"}, "web"),
        ({"beta": "1x0"}, "web"),
        ({"alphabeta": "1.0"}, "web"),
        ({}, "web"),
    ],
)
def test_a_cookie_among_others(cookies, service):
    """A cookie is found wherever it stands, and nothing that only looks like it."""
    base = mapping("web", {"prefix": "/", "service": "web"})
    matches = [{"cookies": [{"name": "beta", "value": "1.0", "type": "Exact"}]}]
    stage = full({"name": "web-canary", "stableService": "web", "canaryService": "web-canary", "matches": matches})
    made = render(SCRIPT, base, stage)
    assert {service} == {arrival.service for arrival in route([base, *made], Request(cookies=cookies))}
