"""Generated packages: a workload, its Services, its Ingress and a rollout, written in the many ways of people."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from hypothesis import strategies as st

from krmfn import krm

NAMES = ("web", "cart", "api-1", "a", "checkout.v2", "x" * 40)
VALUES = (
    "on",
    "NO",
    "1e3",
    "0o17",
    "~",
    "2024-01-02",
    "plain",
    "a: b",
    "",
    " lead",
    "#no",
    "'q'",
    "multi\nline\n",
    "é",
)


@dataclass(frozen=True)
class Style:
    """One way to release one kind of workload: the isolations that can be, and what its manifests say."""

    api_version: str
    kind: str
    modes: tuple[str, ...]
    strategy: str = "canary"
    extra: bool = False
    border: tuple[str, ...] = ()

    @property
    def shares(self) -> bool:
        """Tell whether two Deployments hold as many pods together as one."""
        return self.kind == "Deployment" and self.strategy == "canary" and not self.extra


TWIN, ONE = ("auto", "label", "track", "rename", "shared"), ("label", "track", "shared")
BORDER = ("spec", "updateStrategy", "partition")
ROLLING = ("spec", "updateStrategy", "rollingUpdate", "partition")
STYLES = (
    Style("apps/v1", "Deployment", TWIN, extra=True),
    Style("apps/v1", "Deployment", TWIN, strategy="blueGreen"),
    Style("apps/v1", "Deployment", ONE),
    Style("apps.kruise.io/v1alpha1", "CloneSet", TWIN, strategy="blueGreen"),
    Style("apps.kruise.io/v1alpha1", "CloneSet", ONE, border=BORDER),
    Style("apps/v1", "StatefulSet", ONE, border=ROLLING),
    Style("apps.kruise.io/v1beta1", "StatefulSet", ONE, border=ROLLING),
)


@dataclass(frozen=True)
class Made:
    """One package: its files, the spec of the RolloutStep, its resting stages, and what it was made from."""

    files: dict[str, bytes]
    spec: dict[str, Any]
    rests: tuple[str, ...]
    name: str
    namespace: str
    replicas: int
    steps: tuple[dict[str, Any], ...]
    style: "Style"

    @property
    def ref(self) -> dict[str, str]:
        """Return the name and the namespace for a manifest's metadata."""
        return {"name": self.name} | ({"namespace": self.namespace} if self.namespace else {})


@st.composite
def packages(draw: st.DrawFn) -> Made:
    """Draw a package with one rollout, of which both revisions are known."""
    name, namespace = draw(st.sampled_from(NAMES)), draw(st.sampled_from(("", "shop")))
    style = draw(st.sampled_from(STYLES))
    mode = draw(st.sampled_from(style.modes))
    versioned = mode == "label" or draw(st.booleans())
    replicas = draw(st.integers(1, 12))
    routed, most = mode != "shared", 100 if style.modes is TWIN else 50
    steps = tuple(draw(_steps(routed=routed, partly=mode in ("label", "track"), most=most if routed else 100)))
    meta = {"name": name} | ({"namespace": namespace} if namespace else {})
    objects = [
        draw(_workload(meta, replicas, style, versioned=versioned)),
        *([_service(meta)] if mode != "shared" or draw(st.booleans()) else []),
        *([draw(_ingress(meta))] if mode != "shared" else []),
    ]
    rollout = draw(_rollout(meta, steps, style, routed=routed))
    spec: dict[str, Any] = {"isolation": mode, "target": draw(_target(name, versioned=versioned))}
    if mode == "track":
        spec["adopted"] = True
    rests = (*(str(k) for k in range(len(steps) + 1)), "promote", "finalise", "complete")
    files = draw(_files([*objects, rollout]))
    return Made(files, spec, rests, name, namespace, replicas, steps, style)


def positions(rests: tuple[str, ...]) -> st.SearchStrategy[str]:
    """Draw a position of one release, up to and including finalise, half-way ones among them."""
    places = st.sampled_from(rests[:-1])
    half = st.tuples(places, places, st.sampled_from(("scale", "shift"))).filter(lambda found: found[0] != found[1])
    drains = places.filter(lambda place: place != "0").map(lambda place: f"{place}>0/drain")
    return places | half.map(lambda found: f"{found[0]}>{found[1]}/{found[2]}") | drains


@st.composite
def _steps(draw: st.DrawFn, *, routed: bool, partly: bool, most: int) -> list[dict[str, Any]]:
    count = draw(st.integers(1, 4))
    percents = sorted(draw(st.lists(st.integers(1, most), min_size=count, max_size=count)))
    steps: list[dict[str, Any]] = [{"replicas": f"{percent}%"} for percent in percents]
    if draw(st.booleans()):
        steps[0] = {"replicas": 1}
    for step in steps:
        if routed and not (partly and draw(st.integers(0, 4)) == 0):
            if draw(st.integers(0, 3)) == 0:
                step["matches"] = [{"headers": [draw(_header())]}]
            else:
                step["weight"] = draw(st.integers(1, 100))
        if draw(st.booleans()):
            step["pause"] = draw(st.sampled_from(({}, {"duration": 30})))
    if routed and not any("weight" in step or "matches" in step for step in steps):
        steps[-1]["weight"] = 50
    return steps


def _header() -> st.SearchStrategy[dict[str, str]]:
    kinds = st.sampled_from(({}, {"type": "Exact"}, {"type": "RegularExpression"}))
    return kinds.map(lambda kind: {"name": "x-user", "value": "beta.*"} | kind)


@st.composite
def _workload(draw: st.DrawFn, meta: dict[str, str], replicas: int, style: Style, *, versioned: bool) -> dict[str, Any]:
    labels = {"app": meta["name"]} | ({"version": "v1"} if versioned else {})
    names = draw(st.lists(st.sampled_from(("A", "B", "C", "ON")), unique=True, max_size=3))
    env = [{"name": name, "value": draw(st.sampled_from(VALUES))} for name in names]
    container: dict[str, Any] = {"name": "main", "image": "shop/main:1.0"} | ({"env": env} if env else {})
    pod: dict[str, Any] = {"containers": [container]}
    if draw(st.booleans()):
        pod["containers"].append(
            {"name": "side", "image": "shop/side:3", "args": draw(st.lists(st.sampled_from(VALUES)))}
        )
    if draw(st.booleans()):
        term = {"labelSelector": {"matchLabels": {"app": meta["name"]}}, "topologyKey": "kubernetes.io/hostname"}
        pod["affinity"] = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
    template = {"metadata": {"labels": labels}, "spec": pod}
    selector = {"matchLabels": {"app": meta["name"]}}
    spec = {"replicas": replicas, "selector": selector, "template": template}
    if style.border and draw(st.booleans()):
        spec["updateStrategy"] = {"type": "RollingUpdate"}
    return {"apiVersion": style.api_version, "kind": style.kind, "metadata": dict(meta), "spec": spec}


def _service(meta: dict[str, str]) -> dict[str, Any]:
    spec = {"selector": {"app": meta["name"]}, "ports": [{"port": 80, "targetPort": 8080}]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": dict(meta), "spec": spec}


@st.composite
def _ingress(draw: st.DrawFn, meta: dict[str, str]) -> dict[str, Any]:
    def rule(host: str, service: str) -> dict[str, Any]:
        backend = {"service": {"name": service, "port": {"number": 80}}}
        return {"host": host, "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}

    others = draw(st.lists(st.sampled_from(("docs", "blog")), unique=True))
    rules = draw(st.permutations([rule("www", meta["name"]), *(rule(f"{other}.www", other) for other in others)]))
    annotations = draw(st.sampled_from(({}, {"annotations": {"nginx.ingress.kubernetes.io/proxy-body-size": "8m"}})))
    spec = {"ingressClassName": "nginx", "rules": list(rules)}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": dict(meta) | annotations, "spec": spec}


@st.composite
def _rollout(
    draw: st.DrawFn, meta: dict[str, str], steps: tuple[dict[str, Any], ...], style: Style, *, routed: bool
) -> dict[str, Any]:
    workload = {"apiVersion": style.api_version, "kind": style.kind, "name": meta["name"]}
    annotations: dict[str, Any] = {}
    canary: dict[str, Any] = {"steps": [dict(step) for step in steps]}
    if routed:
        canary["trafficRoutings"] = [{"service": meta["name"], "ingress": {"classType": "nginx", "name": meta["name"]}}]
    increasing = all("weight" not in b or a.get("weight", 0) <= b["weight"] for a, b in pairwise(steps))
    if style.strategy == "canary" and increasing and draw(st.booleans()):
        spec: dict[str, Any] = {"objectRef": {"workloadRef": workload}, "strategy": {"canary": canary}}
        version = "v1alpha1"
        if not style.extra:
            annotations = {"annotations": {"rollouts.kruise.io/rolling-style": "partition"}}
    else:
        canary |= {"enableExtraWorkloadForCanary": True} if style.extra else {}
        for step in canary["steps"]:
            if "weight" in step:
                step["traffic"] = f"{step.pop('weight')}%"
        spec, version = {"workloadRef": workload, "strategy": {style.strategy: canary}}, "v1beta1"
    api_version = f"rollouts.kruise.io/{version}"
    return {"apiVersion": api_version, "kind": "Rollout", "metadata": dict(meta) | annotations, "spec": spec}


@st.composite
def _target(draw: st.DrawFn, name: str, *, versioned: bool) -> dict[str, Any]:
    labels = {"metadata": {"labels": {"version": "v2"}}} if versioned else {}
    more = {
        "spec": {"containers": [{"name": "main", "env": [{"name": "NEW", "value": draw(st.sampled_from(VALUES))}]}]}
    }
    template = labels | (more if draw(st.booleans()) else {})
    patches = [{"patch": krm.dump({"spec": {"template": template}})}] if template else []
    assert name
    return {"images": [{"name": "shop/main", "newTag": "2.0"}], "patches": patches}


@st.composite
def _files(draw: st.DrawFn, objects: list[dict[str, Any]]) -> dict[str, bytes]:
    """Write the objects into one file or several, in block or flow style, with comments, in either line ends."""
    together = draw(st.booleans())
    files: dict[str, bytes] = {}
    texts = [draw(_text(value)) for value in objects]
    if together:
        files["app.yaml"] = "---\n".join(texts).encode()
    else:
        for number, text in enumerate(texts):
            files[f"{draw(st.sampled_from(('', 'base/')))}{number}.yaml"] = text.encode()
    ends = draw(st.sampled_from((b"\n", b"\n", b"\r\n")))
    return {name: data.replace(b"\n", ends) for name, data in files.items()}


@st.composite
def _text(draw: st.DrawFn, value: dict[str, Any]) -> str:
    style = draw(st.integers(0, 5))
    if style == 0:
        import json

        return json.dumps(value, indent=draw(st.sampled_from((None, 2)))) + "\n"
    lines = krm.dump(value).splitlines()
    out = []
    for line in lines:
        plain = line.rstrip().endswith((":", "Deployment", "Service", "Ingress", "Rollout", "Set"))
        if plain and style == 1:
            out.append(f"{' ' * (len(line) - len(line.lstrip()))}# about {line.strip().lstrip('- ')}")
        out.append(f"{line} # here" if plain and style == 2 and "|" not in line else line)
    return "\n".join(out) + "\n"
