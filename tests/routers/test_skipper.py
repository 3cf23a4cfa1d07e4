"""Ingress of the class skipper: at every stage, Skipper sends each request where the plan says."""

import json

from hypothesis import strategies as st

from krmfn.lua import find
from tests.routers import skipper
from tests.routers.meaning import Request
from tests.routers.plans import Law, Manifest, Shares, canary, maybe, stages

SCRIPT = find("networking.k8s.io", "Ingress", "skipper")
NOTES = "zalando.org/"

PLACE = st.sampled_from([("/", "Prefix"), ("/a", "Prefix"), ("/a/b", "Prefix"), ("/b", "Exact"), ("/a/b/c", "Exact")])
NAMES = ["web", "web", "web", "api", "old"]
PREDICATE = st.sampled_from(
    ['Header("X", "1")', 'HeaderRegexp("Y", "^[0-9]$")', 'QueryParam("q", "^1$") && Header("x", "1")']
)


@st.composite
def ingresses(draw: st.DrawFn) -> Manifest:
    """Make an Ingress that leads to the Service web, among others; some paths have several backends."""
    rules = []
    for host in draw(st.sampled_from([["example.com"], [""], ["example.com", ""]])):
        paths = []
        for path, kind in draw(st.lists(PLACE, min_size=1, max_size=3, unique=True)):
            for name in draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=2, unique=True)):
                backend = {"service": {"name": name, "port": {"number": 80}}}
                paths.append({"path": path, "pathType": kind, "backend": backend})
        rules.append({"http": {"paths": paths}} | ({"host": host} if host else {}))
    if not any(one["backend"]["service"]["name"] == "web" for rule in rules for one in rule["http"]["paths"]):
        rules[0]["http"]["paths"] = rules[0]["http"]["paths"][:1]
        rules[0]["http"]["paths"][0]["backend"]["service"]["name"] = "web"
    weights = draw(
        st.sampled_from([{}, {}, {"web": 70, "api": 30, "old": 10}, {"web": 3, "api": 1}, {"api": 5, "old": 5}])
    )
    notes = {f"{NOTES}backend-weights": json.dumps(weights)} if weights else {}
    if predicate := draw(maybe(PREDICATE, odds=3)):
        notes[f"{NOTES}skipper-predicate"] = predicate
    if draw(st.integers(0, 3)) == 0:
        notes[f"{NOTES}skipper-filter"] = 'setRequestHeader("X-Team", "shop")'
    meta = {"name": "web", "annotations": notes}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": meta, "spec": {"rules": rules}}


REASONS = {"for all hosts and for one": "example.com", "write a weight for it": "'api': 5|\"api\": 5"}


def ambiguous(base: Manifest, request: Request) -> bool:
    """Tell whether nobody says what happens to such requests."""
    try:
        skipper.route([base], request)
    except AssertionError:
        return True
    return False


def test_every_request_arrives_where_the_plan_says() -> None:
    """What matches goes to the canary, of the rest the weight does, and nobody else notices."""

    def routed(manifests: list[Manifest], request: Request) -> Shares:
        return {} if ambiguous(law.base, request) else skipper.route(manifests, request)

    law = Law(SCRIPT, routed, canary, REASONS)
    law.hold(ingresses(), stages(SCRIPT))
