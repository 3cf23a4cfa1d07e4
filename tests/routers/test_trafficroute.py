"""TrafficRoute: at every stage, Kuma sends each request where the plan says."""

from typing import Any

from hypothesis import strategies as st

from krmfn.lua import find
from tests.routers import kuma
from tests.routers.meaning import Request
from tests.routers.plans import Law, Manifest, Shares, maybe, record, stages

SCRIPT = find("kuma.io", "TrafficRoute")

TEXT = st.sampled_from([{"exact": "1"}, {"exact": "2"}, {"prefix": "1"}, {"regex": "[0-9]"}])
PATH = st.sampled_from(
    [*[{"prefix": value} for value in ("/", "/a", "/a/", "/b")], {"exact": "/a/b"}, {"regex": "/a.*"}]
)
MATCH = record(
    path=maybe(PATH, odds=2),
    headers=maybe(st.dictionaries(st.sampled_from(["x", "y"]), TEXT, min_size=1, max_size=1), odds=2),
    method=maybe(st.just({"exact": "GET"}), odds=4),
).filter(bool)


@st.composite
def leads(draw: st.DrawFn) -> Manifest:
    """Make where an item leads: to one Service, or to several with weights."""
    names = draw(st.lists(st.sampled_from(["web", "web", "api", "old"]), min_size=1, max_size=3))
    ports = [draw(st.sampled_from([80, 80, 81])) for _ in names]
    more = draw(maybe(st.just({"version": "1", "kuma.io/zone": "a"}), odds=3)) or {}
    found = dict.fromkeys(f"{name}_demo_svc_{port}" for name, port in zip(names, ports, strict=True))
    places = [{"kuma.io/service": name} | (more if name.startswith("web") else {}) for name in found]
    if len(places) == 1:
        return {"destination": places[0]}
    weights = draw(st.sampled_from([[50, 30, 20], [1, 2, 1], [90, 9, 1]]))
    return {"split": [{"weight": weight, "destination": to} for weight, to in zip(weights, places, strict=False)]}


@st.composite
def routes(draw: st.DrawFn) -> Manifest:
    """Make a TrafficRoute that leads to the Service web, among others."""
    rewrite = maybe(st.just({"path": {"rewritePrefix": "/new"}}), odds=4)
    http = [
        {"match": draw(MATCH)} | draw(record(modify=rewrite)) | draw(leads()) for _ in range(draw(st.integers(0, 3)))
    ]
    conf = draw(leads()) | ({"http": http} if http else {})
    if "web_demo" not in repr(conf):
        conf = {**conf, "destination": {"kuma.io/service": "web_demo_svc_80"}}
        conf.pop("split", None)
    everyone = [{"match": {"kuma.io/service": "*"}}]
    spec = {"sources": everyone, "destinations": everyone, "conf": conf}
    return {
        "apiVersion": "kuma.io/v1alpha1",
        "kind": "TrafficRoute",
        "mesh": "m",
        "metadata": {"name": "w"},
        "spec": spec,
    }


REASONS = {"and Kuma asks for one of them": "regex|Regular|prefix", "replaces what matched": "rewritePrefix.*'path'"}


def twin(arrival: Any) -> kuma.Arrival | None:
    """Return the canary's counterpart of a stable arrival."""
    name, rest = arrival.service.split("_", 1)
    more = '{"kuma.io/zone": "a"}' if "zone" in arrival.more else "{}"
    return arrival._replace(service=f"web-canary_{rest}", more=more) if name == "web" else None


def test_every_request_arrives_where_the_plan_says() -> None:
    """What matches goes to the canary, of the rest the weight does, and nobody else notices."""

    def routed(manifests: list[Manifest], request: Request) -> Shares:
        (one,) = manifests
        return kuma.traffic_route(one, request)

    law = Law(SCRIPT, routed, twin, REASONS)
    law.hold(routes(), stages(SCRIPT), connect=kuma.connect)
