"""HTTPProxy: at every stage, Contour sends each request where the plan says."""

from collections import Counter

from hypothesis import assume
from hypothesis import strategies as st

from krmfn.lua import find
from tests.routers import contour
from tests.routers.plans import Law, Manifest, Strategy, alone, canary, maybe, record, schema, stages

SCRIPT = find("projectcontour.io", "HTTPProxy")
valid = schema("httpproxies.projectcontour.io")

PATH = st.sampled_from(
    [
        *[{"prefix": value} for value in ("/", "/", "/a", "/a/", "/a/b", "/b")],
        *[{"exact": "/a"}, {"exact": "/a/b"}, {"regex": "/a.*"}],
    ]
)
HEADER = st.sampled_from(
    [
        {"name": "x", "exact": "1"},
        {"name": "X", "exact": "2"},
        {"name": "X", "contains": "1"},
        {"name": "x", "notexact": "1"},
        {"name": "x", "notpresent": True},
        {"name": "y", "present": True},
        {"name": "y", "regex": "[0-9]"},
    ]
)
PARAM = st.sampled_from([{"name": "q", "exact": "1"}, {"name": "q", "prefix": "2"}, {"name": "r", "present": True}])


@st.composite
def services(draw: st.DrawFn) -> list[Manifest]:
    """Make the services of a route: one, several with weights or without, perhaps a mirror."""
    names = draw(
        st.lists(st.sampled_from([("web", 80), ("web", 81), ("api", 80), ("old", 80)]), min_size=1, max_size=3)
    )
    found: list[Manifest] = [{"name": name, "port": port} for name, port in dict.fromkeys(names)]
    weights = draw(st.sampled_from([None, (1, 1, 1), (90, 10, 7), (0, 3, 1), (100, 0, 0)]))
    for one, weight in zip(found, weights or (), strict=False):
        one["weight"] = weight
    if draw(st.integers(0, 9)) == 0:
        found.append({"name": "shadow", "port": 80, "mirror": True})
    return found


@st.composite
def proxies(draw: st.DrawFn) -> Manifest:
    """Make an HTTPProxy that leads to the Service web, among others, of which no two routes are equals."""
    made = []
    for _ in range(draw(st.integers(1, 4))):
        conditions: list[Manifest] = [draw(PATH)] if draw(st.integers(0, 4)) else []
        conditions += [{"header": one} for one in draw(st.lists(HEADER, max_size=1))]
        conditions += [{"queryParameter": one} for one in draw(maybe(st.lists(PARAM, max_size=1), odds=2)) or ()]
        made.append({"conditions": conditions, "services": draw(services())} | draw(EXTRA))
    if not any(one["name"] == "web" and one.get("weight") != 0 for each in made for one in each["services"]):
        made[0]["services"] = [{"name": "web", "port": 80}]
    orders = Counter(contour.importance(one) for one in made)
    assume(max(orders.values()) == 1)
    spec: Manifest = {"virtualhost": {"fqdn": "example.com"}, "routes": made}
    if connections := draw(maybe(services(), odds=4)):
        spec["tcpproxy"] = {"services": connections}
    meta = {"name": "web", "namespace": "demo"}
    return {"apiVersion": "projectcontour.io/v1", "kind": "HTTPProxy", "metadata": meta, "spec": spec}


EXTRA: Strategy = record(
    timeoutPolicy=maybe(st.just({"response": "5s"}), odds=3), permitInsecure=maybe(st.just(value=True))
)
REASONS = {
    "the path would have to be within both": "'regex': '/|'path': {'type': 'RegularExpression'",
    "not told by": "header|queryParameter",
}


def test_every_request_arrives_where_the_plan_says() -> None:
    """What matches goes to the canary, of the rest the weight does, and nobody else notices."""
    law = Law(SCRIPT, alone(contour.route), canary, REASONS)
    law.hold(proxies(), stages(SCRIPT), valid, contour.connect)
