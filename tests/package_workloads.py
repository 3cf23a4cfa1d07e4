"""Generated workloads, with the Services and the autoscaler that stand beside them."""

from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

Manifest = dict[str, Any]
Metadata = dict[str, str]

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


@st.composite
def workload(draw: st.DrawFn, meta: Metadata, style: Style, count: Manifest, *, versioned: bool) -> Manifest:
    """Draw a workload that says its number of pods, or leaves that to an autoscaler."""
    labels = {"app": meta["name"], "tier": "base"} | ({"version": "v1"} if versioned else {})
    names = draw(st.lists(st.sampled_from(("A", "B", "C", "ON")), unique=True, max_size=3))
    env = [{"name": name, "value": draw(st.sampled_from(VALUES))} for name in names]
    container: Manifest = {"name": "main", "image": "shop/main:1.0"} | ({"env": env} if env else {})
    pod: Manifest = {"containers": [container]}
    if draw(st.booleans()):
        pod["containers"].append(
            {"name": "side", "image": "shop/side:3", "args": draw(st.lists(st.sampled_from(VALUES)))}
        )
    if draw(st.booleans()):
        term = {"labelSelector": {"matchLabels": {"app": meta["name"]}}, "topologyKey": "kubernetes.io/hostname"}
        pod["affinity"] = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
    template = {"metadata": {"labels": labels}, "spec": pod}
    selector = {"matchLabels": {"app": meta["name"]}}
    spec = count | {"selector": selector, "template": template}
    if style.border and draw(st.booleans()):
        spec["updateStrategy"] = {"type": "RollingUpdate"}
    return {"apiVersion": style.api_version, "kind": style.kind, "metadata": dict(meta), "spec": spec}


@st.composite
def autoscaler(draw: st.DrawFn, meta: Metadata, replicas: int, style: Style) -> Manifest:
    """Draw what owns the number of pods, and keeps at least so many."""
    target = {"apiVersion": style.api_version, "kind": style.kind, "name": meta["name"]}
    if draw(st.booleans()):
        spec = {"scaleTargetRef": target, "minReplicas": replicas, "maxReplicas": 3 * replicas}
        return {
            "apiVersion": "autoscaling/v2",
            "kind": "HorizontalPodAutoscaler",
            "metadata": dict(meta),
            "spec": spec,
        }
    query = {"serverAddress": "http://prometheus:9090", "query": f'sum(hits{{app="{meta["name"]}"}})', "threshold": "5"}
    triggers = [{"type": "cpu", "metadata": {"value": "60"}}, {"type": "prometheus", "metadata": query}]
    some = draw(st.lists(st.sampled_from(triggers), max_size=2))
    spec = {"scaleTargetRef": target, "minReplicaCount": replicas, "triggers": some}
    return {"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "metadata": dict(meta), "spec": spec}


PORT = {"port": 80, "targetPort": 8080}
SERVICES: tuple[Manifest, ...] = (
    {"ports": [PORT]},
    {"ports": [PORT], "clusterIP": "10.0.0.7", "clusterIPs": ["10.0.0.7"]},
    {"ports": [PORT | {"nodePort": 30080}], "type": "NodePort"},
    {"ports": [PORT | {"nodePort": 30080}], "type": "LoadBalancer", "externalTrafficPolicy": "Local"},
    {"ports": [PORT | {"name": "http"}, {"name": "admin", "port": 9000}], "sessionAffinity": "ClientIP"},
)


@st.composite
def services(draw: st.DrawFn, meta: Metadata, name: str) -> list[Manifest]:
    """Draw the Service that a rollout names, and others that select the same pods: by DNS, or pinned as well."""
    metadata, selector = dict(meta) | {"name": name}, {"selector": {"app": meta["name"]}}
    found = [_service(metadata, selector | draw(st.sampled_from(SERVICES)))]
    if draw(st.integers(0, 2)) == 0:
        found.append(_service(metadata | {"name": f"{name}-pods"}, selector | {"clusterIP": "None", "ports": [PORT]}))
    if draw(st.integers(0, 2)) == 0:
        pinned = {"name": f"{name}-inside", "annotations": {"krmfn.dev/pin": "true"}}
        found.append(_service(metadata | pinned, selector | {"ports": [PORT]}))
    return found


def _service(metadata: Manifest, spec: Manifest) -> Manifest:
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}
