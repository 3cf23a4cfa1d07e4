"""MeshHTTPRoute: at every stage, Kuma sends each request where the plan says."""

from collections import Counter

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from krmfn.lua import find
from tests.routers import kuma
from tests.routers.meaning import PLANS, Request
from tests.routers.plans import Law, Manifest, Shares, canary, maybe, record, stages

SCRIPT = find("kuma.io", "MeshHTTPRoute")

PATH = st.sampled_from(
    [
        *[{"type": "PathPrefix", "value": value} for value in ("/", "/", "/a", "/a/b", "/b")],
        *[{"type": "Exact", "value": "/a"}, {"type": "RegularExpression", "value": "/a.*"}],
    ]
)
HEADER = st.sampled_from(
    [
        {"name": "x", "value": "1"},
        {"name": "x", "type": "Exact", "value": "2"},
        {"name": "x", "type": "Present"},
        {"name": "z", "type": "Absent"},
        {"name": "y", "type": "RegularExpression", "value": "[0-9]"},
        {"name": "y", "type": "Prefix", "value": "1"},
    ]
)
MATCH = record(
    path=maybe(PATH, odds=5).map(lambda path: path or {"type": "PathPrefix", "value": "/"}),
    headers=maybe(st.lists(HEADER, min_size=1, max_size=1), odds=2),
    queryParams=maybe(st.just([{"name": "q", "type": "Exact", "value": "1"}]), odds=4),
    method=maybe(st.just("GET"), odds=4),
)
EVERYTHING = {"path": {"type": "PathPrefix", "value": "/"}}


def named(name: str, form: str) -> Manifest:
    """Make a reference to a Service in the namespace demo, in one of the forms of Kuma's versions."""
    if form == "tag":
        return {"kind": "MeshService", "name": f"{name}_demo_svc_80"}
    if form == "labels":
        return {"kind": "MeshService", "labels": {"kuma.io/display-name": name, "k8s.kuma.io/namespace": "demo"}}
    return {"kind": "MeshService", "name": name, "namespace": "demo", "port": 80}


@st.composite
def routes(draw: st.DrawFn) -> Manifest:
    """Make a MeshHTTPRoute that leads to the Service web, among others."""
    form = draw(st.sampled_from(["tag", "labels", "name"]))
    rules = []
    for matches in draw(st.lists(st.lists(MATCH, min_size=1, max_size=2), max_size=3, unique_by=repr)):
        names = draw(
            maybe(st.lists(st.sampled_from(["web", "web", "api", "old"]), min_size=1, max_size=3, unique=True))
        )
        default: Manifest = {}
        if names:
            weights = draw(st.sampled_from([[None] * 3, [50, 30, 20], [3, 1, None]]))
            weighted = zip(names, weights, strict=False)
            default["backendRefs"] = [
                named(name, form) | ({} if weight is None else {"weight": weight}) for name, weight in weighted
            ]
        rules.append({"matches": matches, "default": default})
    if not any(EVERYTHING in rule["matches"] for rule in rules) and draw(st.integers(0, 5)):
        rules.append({"matches": [EVERYTHING], "default": {"backendRefs": [named("web", form)]}})
    assume("web" in repr(rules) or any("backendRefs" not in rule["default"] for rule in rules))
    to = [{"targetRef": named("web", form), "rules": rules}]
    spec = {"targetRef": {"kind": "Mesh"}, "to": to}
    meta = {"name": "web", "namespace": "kuma-system"}
    return {"apiVersion": "kuma.io/v1alpha1", "kind": "MeshHTTPRoute", "metadata": meta, "spec": spec}


REASONS = {
    "the path would have to be": "Regular",
    "would have to be both": "Present|Prefix|Regular|Absent",
    "have none for all requests": "",
}


def test_every_request_arrives_where_the_plan_says() -> None:
    """What matches goes to the canary, of the rest the weight does, and nobody else notices."""
    refused = Counter[bool]()

    def routed(manifests: list[Manifest], request: Request) -> Shares:
        (one,) = manifests
        return kuma.mesh_http_route(one, request, "web")

    law = Law(SCRIPT, routed, canary, REASONS)

    @settings(max_examples=PLANS)
    @given(routes(), stages(SCRIPT), st.integers(0, 2**32))
    def check(base: Manifest, stage: Manifest, seed: int) -> None:
        law.check(base, stage, seed)
        refused[EVERYTHING in [match for rule in base["spec"]["to"][0]["rules"] for match in rule["matches"]]] += 1

    check()
    assert law.kept[True] > law.kept[False]
    assert refused[True] > refused[False] > 0
