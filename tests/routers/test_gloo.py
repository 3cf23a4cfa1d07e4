"""RouteTable: at every stage, Gloo sends each request where the plan says."""

from hypothesis import strategies as st

from krmfn.lua import find
from tests.routers import gloo
from tests.routers.plans import Law, Manifest, alone, canary, maybe, record, schema, stages

SCRIPT = find("gateway.solo.io", "RouteTable")
valid = schema("routetables.gateway.solo.io")

PATH = st.sampled_from(
    [*[{"prefix": value} for value in ("/", "/", "/a", "/a/", "/a/b", "/b")], {"exact": "/a"}, {"regex": "/a.*"}]
)
HEADER = st.sampled_from(
    [
        {"name": "x", "value": "1"},
        {"name": "X", "value": "2"},
        {"name": "X"},
        {"name": "x", "value": "1", "invertMatch": True},
        {"name": "y", "value": "[0-9]", "regex": True},
    ]
)
PARAM = st.sampled_from([{"name": "q", "value": "1"}, {"name": "r"}])
MATCHER = st.builds(
    lambda path, more: path | more,
    PATH,
    record(
        headers=maybe(st.lists(HEADER, max_size=2), odds=2),
        queryParameters=maybe(st.lists(PARAM, max_size=1), odds=4),
        methods=maybe(st.sampled_from([["GET"], ["GET", "PUT"]]), odds=4),
        caseSensitive=maybe(st.just(value=False), odds=9),
    ),
)


def place(name: str, port: int, *, kube: bool) -> Manifest:
    """Make a destination."""
    if kube:
        return {"kube": {"ref": {"name": name, "namespace": "demo"}, "port": port}}
    return {"upstream": {"name": f"demo-{name}-{port}", "namespace": "gloo-system"}}


PLACE = st.builds(
    lambda name, port, kube: place(name, port, kube=kube),
    st.sampled_from(["web", "web", "web", "api", "webb"]),
    st.sampled_from([80, 81]),
    st.booleans(),
)
MULTI = st.lists(
    st.builds(lambda to, weight: {"destination": to, "weight": weight}, PLACE, st.sampled_from([1, 3, 10, 50, 90])),
    min_size=1,
    max_size=3,
)
ACTION = st.one_of(PLACE.map(lambda to: {"single": to}), MULTI.map(lambda some: {"multi": {"destinations": some}}))


@st.composite
def tables(draw: st.DrawFn) -> Manifest:
    """Make a RouteTable that leads to the Service web, among others."""
    made = []
    for _ in range(draw(st.integers(1, 4))):
        matchers = draw(maybe(st.lists(MATCHER, max_size=2), odds=3))
        kind = draw(st.integers(0, 9))
        one: Manifest = {} if matchers is None else {"matchers": matchers}
        if matchers and kind == 1:
            one["inheritablePathMatchers"] = True
            one["matchers"] = [{k: v for k, v in m.items() if k in ("headers", "methods")} for m in matchers]
        action = {"redirectAction": {"hostRedirect": "b"}} if kind == 2 else {"routeAction": draw(ACTION)}
        made.append(one | action | draw(record(options=maybe(st.just({"timeout": "5s"}), odds=3))))
    if not any(" 'demo-web-" in repr(one) or "'name': 'web'" in repr(one) for one in made):
        made.append({"routeAction": {"single": place("web", 80, kube=True)}})
    meta = {"name": "web", "namespace": "demo"}
    return {"apiVersion": "gateway.solo.io/v1", "kind": "RouteTable", "metadata": meta, "spec": {"routes": made}}


REASONS = {
    "cannot be put together": "'regex': '/|'path': {'type': 'RegularExpression'|caseSensitive",
    "has its path from somewhere else": "inheritablePathMatchers.*'path'",
}


def test_every_request_arrives_where_the_plan_says() -> None:
    """What matches goes to the canary, of the rest the weight does, and nobody else notices."""
    law = Law(SCRIPT, alone(gloo.route), canary, REASONS)
    law.hold(tables(), stages(SCRIPT), valid)
