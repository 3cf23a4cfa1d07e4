"""VirtualRouter: at every stage, App Mesh sends each request where the plan says."""

from fractions import Fraction
from typing import Any

from hypothesis import strategies as st

from krmfn.lua import find
from tests.routers import appmesh
from tests.routers.meaning import Request
from tests.routers.plans import Law, Manifest, Shares, maybe, record, stages

SCRIPT = find("appmesh.k8s.aws", "VirtualRouter")

PATH = st.sampled_from(
    [
        *[{"prefix": value} for value in ("/", "/", "/a", "/a/", "/a/b", "/b")],
        *[{"path": {"exact": "/a"}}, {"path": {"regex": "/a.*"}}],
    ]
)
HEADER = st.sampled_from(
    [
        {"name": "x", "match": {"exact": "1"}},
        {"name": "X", "match": {"exact": "2"}},
        {"name": "X"},
        {"name": "x", "match": {"prefix": "1"}, "invert": True},
        {"name": "y", "match": {"regex": "[0-9]"}},
    ]
)
MATCH = st.builds(
    lambda path, more: path | more,
    PATH,
    record(
        headers=maybe(st.lists(HEADER, min_size=1, max_size=2), odds=2),
        queryParameters=maybe(st.just([{"name": "q", "match": {"exact": "1"}}]), odds=4),
        method=maybe(st.just("GET"), odds=4),
    ),
)


@st.composite
def targets(draw: st.DrawFn) -> list[Manifest]:
    """Make the targets of a route, with weights that sum to 100 or to anything."""
    names = draw(st.lists(st.sampled_from(["web", "api", "old"]), min_size=1, max_size=3, unique=True))
    weights = draw(st.sampled_from([[50, 30, 20], [100, 0, 0], [1, 2, 1], [3, 1, 6], [40, 60, 0]]))
    port = draw(maybe(st.just({"port": 80})))
    return [
        {"virtualNodeRef": {"name": name}, "weight": weight} | (port or {})
        for name, weight in zip(names, weights, strict=False)
    ]


@st.composite
def routers(draw: st.DrawFn) -> Manifest:
    """Make a VirtualRouter that leads to the VirtualNode web, among others."""
    made = []
    priorities = draw(st.sampled_from([[10, 20, 30, 40], [40, 30, 20, 10], [10, None, None, None], [3, 4, 5, None]]))
    for number in range(draw(st.integers(1, 4))):
        action = {"weightedTargets": draw(targets())}
        of = {"match": draw(MATCH), "action": action} | draw(record(timeout=maybe(st.just({"idle": {"value": 1}}))))
        priority = {} if priorities[number] is None else {"priority": priorities[number]}
        made.append({"name": f"r{number}", "httpRoute": of} | priority)
    if not any(
        each["virtualNodeRef"]["name"] == "web" and each["weight"]
        for one in made
        for each in one["httpRoute"]["action"]["weightedTargets"]
    ):
        made[0]["httpRoute"]["action"]["weightedTargets"] = [{"virtualNodeRef": {"name": "web"}, "weight": 1}]
    if draw(st.integers(0, 4)) == 0:
        made.append({"name": "tcp", "tcpRoute": {"action": {"weightedTargets": draw(targets())}}})
    meta = {"name": "web", "namespace": "demo"}
    return {
        "apiVersion": "appmesh.k8s.aws/v1beta2",
        "kind": "VirtualRouter",
        "metadata": meta,
        "spec": {"routes": made},
    }


def ambiguous(router: Manifest, request: Request) -> bool:
    """Tell whether nobody says what happens to such requests."""
    try:
        appmesh.route(router, request)
    except AssertionError:
        return True
    return False


REASONS = {
    "cannot be put together": "'regex': '/|'path': {'type': 'RegularExpression'",
    "does not say whether this is tried before": "'r1'",
    "leaves no room": "'priority': [345]",
    "weights are whole numbers here": "'weight': [1-9][0-9]?\\b",
}


def twin(arrival: Any) -> appmesh.Arrival | None:
    """Return the canary's counterpart of a stable arrival."""
    return arrival._replace(node="web-canary") if arrival.node == "web" else None


def test_every_request_arrives_where_the_plan_says() -> None:
    """What matches goes to the canary, of the rest the weight does, and nobody else notices."""

    def routed(manifests: list[Manifest], request: Request) -> Shares:
        (router,) = manifests
        return {} if ambiguous(law.base, request) else appmesh.route(router, request)

    law = Law(SCRIPT, routed, twin, REASONS, inexact=Fraction(1, 100))
    law.hold(routers(), stages(SCRIPT), connect=appmesh.connect)


CALLS = SCRIPT.replace(
    supports=frozenset(
        {"weight", "header.exact", "header.regex", "matches.many", "conditions.many", "weight+matches"},
    )
)


@st.composite
def callers(draw: st.DrawFn) -> Manifest:
    """Make a VirtualRouter for calls, whose routes may ask for metadata."""
    made = []
    for number, priority in enumerate(draw(st.sampled_from([[20], [10, 20], [30, 20, 10], [10, None]]))):
        match = draw(record(metadata=maybe(st.lists(HEADER, min_size=1, max_size=2), odds=1)))
        entries = draw(targets()) if number else [{"virtualNodeRef": {"name": "web"}, "weight": 100}]
        of = {"match": match, "action": {"weightedTargets": entries}}
        made.append({"name": f"c{number}", "grpcRoute": of} | ({} if priority is None else {"priority": priority}))
    kind = {"apiVersion": "appmesh.k8s.aws/v1beta2", "kind": "VirtualRouter"}
    return kind | {"metadata": {"name": "web", "namespace": "demo"}, "spec": {"routes": made}}


def test_every_call_arrives_where_the_plan_says() -> None:
    """Its metadata are looked at as the headers of a request are."""

    def routed(manifests: list[Manifest], request: Request) -> Shares:
        (router,) = manifests
        return appmesh.call(router, request.headers)

    law = Law(CALLS, routed, twin, REASONS, inexact=Fraction(1, 100))
    law.hold(callers(), stages(CALLS))
