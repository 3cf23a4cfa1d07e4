"""VirtualServer: at every stage, F5's NGINX sends each request where the plan says."""

from fractions import Fraction

from hypothesis import strategies as st

from krmfn.lua import find
from tests.routers import virtualserver
from tests.routers.plans import Law, Manifest, alone, canary, maybe, record, schema, stages

SCRIPT = find("k8s.nginx.org", "VirtualServer")
valid = schema("virtualservers.k8s.nginx.org")

CONDITION = st.sampled_from(
    [
        {"header": "x", "value": "1"},
        {"header": "x", "value": "!1"},
        {"header": "y", "value": "~^[0-9]$"},
        {"argument": "q", "value": "2"},
        {"cookie": "c", "value": "~*1"},
        {"variable": "$request_method", "value": "GET"},
    ]
)
ACTION = st.sampled_from(
    [
        *[{"pass": "main"}] * 3,
        {"pass": "second"},
        {"pass": "api"},
        {"proxy": {"upstream": "main", "rewritePath": "/new"}},
        {"return": {"body": "no"}},
    ]
)
SPLITS = st.sampled_from([[50, 50], [60, 30, 10], [100, 0]]).flatmap(
    lambda weights: st.tuples(*[ACTION for _ in weights]).map(
        lambda actions: [{"weight": weight, "action": action} for weight, action in zip(weights, actions, strict=True)]
    )
)
LEADS = st.one_of(ACTION.map(lambda action: {"action": action}), SPLITS.map(lambda splits: {"splits": splits}))
MATCH = st.builds(
    lambda conditions, leads: {"conditions": conditions} | leads, st.lists(CONDITION, min_size=1, max_size=2), LEADS
)
UPSTREAMS = [
    {"name": "main", "service": "web", "port": 80, "lb-method": "round_robin"},
    {"name": "second", "service": "web", "port": 81},
    {"name": "api", "service": "api", "port": 80},
]
ROUTE = st.builds(
    lambda more, leads: more | leads,
    record(
        matches=maybe(st.lists(MATCH, min_size=1, max_size=2)), errorPages=maybe(st.just([{"codes": [502]}]), odds=4)
    ),
    LEADS,
)


@st.composite
def servers(draw: st.DrawFn) -> Manifest:
    """Make a VirtualServer that leads to the Service web, among others."""
    paths = draw(st.lists(st.sampled_from(["/", "/a", "=/a/b", "/b"]), min_size=1, max_size=3, unique=True))
    routes = [{"path": path} | draw(ROUTE) for path in paths]
    routes.append({"path": "/c", "action": {"pass": "main"}})
    spec = {"host": "example.com", "upstreams": UPSTREAMS, "routes": routes}
    meta = {"name": "web"}
    return {"apiVersion": "k8s.nginx.org/v1", "kind": "VirtualServer", "metadata": meta, "spec": spec}


REASONS = {"weights are whole numbers here": "'splits'"}


def test_every_request_arrives_where_the_plan_says() -> None:
    """What matches goes to the canary, of the rest the weight does, and nobody else notices."""
    law = Law(SCRIPT, alone(virtualserver.route), canary, REASONS, inexact=Fraction(1, 50))
    law.hold(servers(), stages(SCRIPT), valid)
