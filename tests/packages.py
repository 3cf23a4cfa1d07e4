"""Generated packages: a workload, its Services and routes, and a Kruise rollout, written in the many ways of people."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from hypothesis import strategies as st

from krmfn import krm
from tests.package_routes import Router, route, routers, routing, rules
from tests.package_texts import files as texts
from tests.package_workloads import STYLES, TWIN, VALUES, Style, autoscaler, services, workload

NAMES = ("web", "cart", "api-1", "a", "checkout.v2", "x" * 40)
ROUTING = "rollouts.kruise.io/trafficrouting"
Manifest = dict[str, Any]


@dataclass(frozen=True)
class Made:
    """One package: its files, the spec of the RolloutStep, its resting stages, and what it was made from."""

    files: dict[str, bytes]
    spec: Manifest
    rests: tuple[str, ...]
    name: str
    service: str
    namespace: str
    replicas: int
    steps: tuple[Manifest, ...]
    style: Style
    routers: tuple[Router, ...]

    @property
    def ref(self) -> dict[str, str]:
        """Return the name and the namespace for a manifest's metadata."""
        return {"name": self.name} | ({"namespace": self.namespace} if self.namespace else {})

    def has(self, kind: str, variant: str = "") -> bool:
        """Tell whether it has a route of a kind that leads to a Service of the canary's own."""
        return any((r.kind, r.variant) == (kind, variant) and not r.subsets for r in self.routers)


@dataclass(frozen=True)
class Chosen:
    """What a package is about: the style, how its pods are told apart, and the routes, of Services or of subsets."""

    style: Style
    mode: str
    routers: tuple[Router, ...]
    subsets: bool
    versioned: bool

    @property
    def supports(self) -> frozenset[str]:
        """What all of its routes can express."""
        return frozenset.intersection(*(router.supports for router in self.routers))


@st.composite
def packages(draw: st.DrawFn) -> Made:
    """Draw a package with one rollout, of which both revisions are known."""
    name, namespace = draw(st.sampled_from(NAMES)), draw(st.sampled_from(("", "shop")))
    meta, service = {"name": name} | ({"namespace": namespace} if namespace else {}), name.replace(".", "-")
    chosen, replicas = draw(_chosen()), draw(st.integers(1, 12))
    steps = tuple(draw(_steps(chosen)))
    owned = not chosen.style.shares and draw(st.integers(0, 3)) == 0
    count = draw(st.sampled_from(({}, {"replicas": 40}))) if owned else {"replicas": replicas}
    routes = [(router, draw(route(router, meta, service))) for router in chosen.routers]
    objects = [
        draw(workload(meta, chosen.style, count, versioned=chosen.versioned)),
        *([draw(autoscaler(meta, replicas, chosen.style))] if owned else []),
        *(draw(services(meta, service)) if chosen.routers or draw(st.booleans()) else []),
        *(manifest for _, manifest in routes),
        *draw(_rollout(meta, steps, chosen, routing(service, routes) if routes else {})),
    ]
    spec: Manifest = {"isolation": chosen.mode, "target": draw(_target(versioned=chosen.versioned))}
    if chosen.mode == "track":
        spec["adopted"] = True
    rests = (*(str(k) for k in range(len(steps) + 1)), "promote", "finalise", "complete")
    written = draw(texts(objects))
    return Made(written, spec, rests, name, service, namespace, replicas, steps, chosen.style, chosen.routers)


@st.composite
def _chosen(draw: st.DrawFn) -> Chosen:
    style = draw(st.sampled_from(STYLES))
    mode = draw(st.sampled_from(style.modes))
    subsets = style.extra and mode in ("auto", "shared") and draw(st.booleans())
    found = draw(routers(subsets=subsets)) if subsets or mode != "shared" else ()
    return Chosen(style, mode, found, subsets, mode == "label" or draw(st.booleans()))


def positions(rests: tuple[str, ...]) -> st.SearchStrategy[str]:
    """Draw a position of one release, up to and including finalise, half-way ones among them."""
    places = st.sampled_from(rests[:-1])
    half = st.tuples(places, places, st.sampled_from(("scale", "shift"))).filter(lambda found: found[0] != found[1])
    drains = places.filter(lambda place: place != "0").map(lambda place: f"{place}>0/drain")
    return places | half.map(lambda found: f"{found[0]}>{found[1]}/{found[2]}") | drains


@st.composite
def _steps(draw: st.DrawFn, chosen: Chosen) -> list[Manifest]:
    routed = bool(chosen.routers)
    most, partly = 100 if chosen.style.modes is TWIN or not routed else 50, chosen.mode in ("label", "track")
    count = draw(st.integers(1, 4))
    percents = sorted(draw(st.lists(st.integers(1, most), min_size=count, max_size=count)))
    steps: list[Manifest] = [{"replicas": f"{percent}%"} for percent in percents]
    if draw(st.booleans()):
        steps[0] = {"replicas": 1}
    for step in steps:
        if routed and not (partly and draw(st.integers(0, 4)) == 0):
            step.update(draw(rules(chosen.supports)))
        if draw(st.booleans()):
            step["pause"] = draw(st.sampled_from(({}, {"duration": 30})))
    if routed and not any("weight" in step or "matches" in step for step in steps):
        steps[-1]["weight"] = 50
    return steps


@st.composite
def _rollout(
    draw: st.DrawFn, meta: dict[str, str], steps: tuple[Manifest, ...], chosen: Chosen, entry: Manifest
) -> list[Manifest]:
    """Draw a Rollout, and the TrafficRouting that it names where it has one."""
    style, annotations = chosen.style, dict[str, str]()
    canary: Manifest = {"steps": [dict(step) for step in steps]}
    made = []
    if style.extra and (chosen.subsets or draw(st.booleans())):
        canary["patchPodTemplateMetadata"] = {"labels": {"tier": "canary"}, "annotations": {"note": "new"}}
    if chosen.subsets and draw(st.booleans()):
        made.append(_traffic_routing(meta, canary["steps"], entry))
        annotations[ROUTING] = meta["name"]
    elif entry:
        canary["trafficRoutings"] = [entry]
        canary |= {"disableGenerateCanaryService": True} if chosen.subsets else {}
    if style.strategy == "canary" and _old(steps) and draw(st.booleans()):
        spec, version = {"objectRef": _reference(meta, style), "strategy": {"canary": canary}}, "v1alpha1"
        annotations |= {} if style.extra else {"rollouts.kruise.io/rolling-style": "partition"}
    else:
        canary |= {"enableExtraWorkloadForCanary": True} if style.extra else {}
        for step in canary["steps"]:
            if "weight" in step:
                step["traffic"] = f"{step.pop('weight')}%"
        spec, version = _reference(meta, style) | {"strategy": {style.strategy: canary}}, "v1beta1"
    metadata = dict(meta) | ({"annotations": annotations} if annotations else {})
    api_version = f"rollouts.kruise.io/{version}"
    return [{"apiVersion": api_version, "kind": "Rollout", "metadata": metadata, "spec": spec}, *made]


def _reference(meta: dict[str, str], style: Style) -> Manifest:
    return {"workloadRef": {"apiVersion": style.api_version, "kind": style.kind, "name": meta["name"]}}


def _old(steps: tuple[Manifest, ...]) -> bool:
    """Tell whether the older version of the API takes such steps."""
    heads = all(match.keys() <= {"headers"} for step in steps for match in step.get("matches", ()))
    return heads and all("weight" not in b or a.get("weight", 0) <= b["weight"] for a, b in pairwise(steps))


def _traffic_routing(meta: dict[str, str], steps: list[Manifest], entry: Manifest) -> Manifest:
    """Return a TrafficRouting with the rule of the first step, and take every rule out of the steps."""
    words = ("weight", "matches", "requestHeaderModifier")
    rule = {word: steps[0][word] for word in words if word in steps[0]}
    for step in steps:
        for word in words:
            step.pop(word, None)
    spec = {"objectRef": [entry], "strategy": rule}
    return {
        "apiVersion": "rollouts.kruise.io/v1alpha1",
        "kind": "TrafficRouting",
        "metadata": dict(meta),
        "spec": spec,
    }


@st.composite
def _target(draw: st.DrawFn, *, versioned: bool) -> Manifest:
    labels = {"metadata": {"labels": {"version": "v2"}}} if versioned else {}
    more = {
        "spec": {"containers": [{"name": "main", "env": [{"name": "NEW", "value": draw(st.sampled_from(VALUES))}]}]}
    }
    template = labels | (more if draw(st.booleans()) else {})
    patches = [{"patch": krm.dump({"spec": {"template": template}})}] if template else []
    return {"images": [{"name": "shop/main", "newTag": "2.0"}], "patches": patches}
