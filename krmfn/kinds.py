"""What differs between kinds, as rows: where a workload keeps its replicas, what a copy leaves out, how lists merge.

A new workload kind is a row in ``WORKLOADS``. Sources: the API references of Kubernetes (apps/v1, core/v1,
networking.k8s.io/v1) and of Knative; ``x-kubernetes-list-map-keys`` and ``patchMergeKey`` of Kubernetes' for
``MERGE_KEYS``.
"""

from krmfn.frozen import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

    from krmfn.krm.item import Manifest, Ref


class Workload(Value):
    """A kind of workload: the styles in which it can be released, and where it keeps what a stage sets.

    ``partition`` is the number of pods that stay on the old revision (``percent``: or a share of all of them, rounded
    up); ``replicas`` is empty where only the cluster knows the number. ``refusal`` says why no other style can be had.
    ``runs`` is the apiVersion and kind in which its pods run without a controller, with these ``keeps`` of its spec.
    ``revisions`` is the label by which the cluster marks the pods of each, where it keeps several revisions of itself,
    each with as many pods as its requests need.
    """

    styles: tuple[str, ...]
    replicas: tuple[str, ...] = ("spec", "replicas")
    partition: tuple[str, ...] = ()
    percent: bool = False
    refusal: str = ""
    runs: tuple[str, str] = ("", "")
    keeps: tuple[str, ...] = ()
    revisions: str = ""

    @property
    def named(self) -> bool:
        """Tell whether any rollout can name such a workload: it is no rollout itself, and needs no route of its own."""
        return not (self.refusal or self.keeps or self.revisions)


TWIN, PARTITION, REVISIONS = "twin", "partition", "revisions"
_UPDATE = ("spec", "updateStrategy")
_ROLLING = (*_UPDATE, "rollingUpdate", "partition")

WORKLOADS: "Final[dict[tuple[str, str], Workload]]" = {
    ("apps", "Deployment"): Workload((TWIN,)),
    ("apps", "StatefulSet"): Workload((PARTITION,), partition=_ROLLING),
    ("apps", "DaemonSet"): Workload(
        (TWIN,), replicas=(), refusal="it has no field that keeps some of its pods on the old version"
    ),
    ("argoproj.io", "Rollout"): Workload(
        (TWIN,),
        runs=("apps/v1", "Deployment"),
        keeps=(
            "replicas",
            "selector",
            "template",
            "minReadySeconds",
            "progressDeadlineSeconds",
            "revisionHistoryLimit",
        ),
    ),
    ("apps.kruise.io", "CloneSet"): Workload((TWIN, PARTITION), partition=(*_UPDATE, "partition"), percent=True),
    ("apps.kruise.io", "StatefulSet"): Workload((PARTITION,), partition=_ROLLING),
    ("apps.kruise.io", "DaemonSet"): Workload((PARTITION,), replicas=(), partition=_ROLLING),
    ("serving.knative.dev", "Service"): Workload((REVISIONS,), replicas=(), revisions="serving.knative.dev/revision"),
}

# What owns the number of replicas, where it keeps the least of them, and what that is by default.
AUTOSCALERS: "Final[dict[tuple[str, str], tuple[tuple[str, ...], int]]]" = {
    ("autoscaling", "HorizontalPodAutoscaler"): (("spec", "minReplicas"), 1),
    ("keda.sh", "ScaledObject"): (("spec", "minReplicaCount"), 0),
}

# Keys that tie a manifest to one object in a cluster, to a release tool or to a DNS name: a copy must not claim them.
OWN_ANNOTATIONS: "Final[tuple[str, ...]]" = (
    "argocd.argoproj.io/",
    "autoscaling.keda.sh/paused",
    "cert-manager.io/",
    "config.k8s.io/",
    "config.kubernetes.io/",
    "deployment.kubernetes.io/",
    "external-dns.alpha.kubernetes.io/",
    "helm.sh/",
    "internal.config.k8s.io/",
    "internal.config.kubernetes.io/",
    "kubectl.kubernetes.io/last-applied-configuration",
    "kustomize.config.k8s.io/",
    "kustomize.toolkit.fluxcd.io/",
    "meta.helm.sh/",
    "postrenderer.helm.sh/",
    "scaledobject.keda.sh/",
    "service.beta.kubernetes.io/",
)
OWN_LABELS: "Final[tuple[str, ...]]" = (
    "app.kubernetes.io/managed-by",
    "argocd.argoproj.io/",
    "helm.sh/chart",
    "helm.toolkit.fluxcd.io/",
    "kustomize.toolkit.fluxcd.io/",
    "scaledobject.keda.sh/",
)
OWN_METADATA: "Final[tuple[str, ...]]" = (
    "creationTimestamp",
    "finalizers",
    "generateName",
    "generation",
    "managedFields",
    "ownerReferences",
    "resourceVersion",
    "selfLink",
    "uid",
)
# What a Service of its own gets from the cluster, or what two Services cannot share.
OWN_SERVICE: "Final[tuple[str, ...]]" = (
    "clusterIP",
    "clusterIPs",
    "externalIPs",
    "healthCheckNodePort",
    "ipFamilies",
    "ipFamilyPolicy",
    "loadBalancerIP",
    "loadBalancerClass",
    "loadBalancerSourceRanges",
    "externalTrafficPolicy",
    "allocateLoadBalancerNodePorts",
    "type",
)

# Routes that are in no namespace.
CLUSTER_WIDE: "Final[tuple[tuple[str, str], ...]]" = (("kuma.io", "TrafficRoute"),)

LOCAL_CONFIG: "Final" = "config.kubernetes.io/local-config"
# Objects for krmfn alone: kpt and kustomize leave the first kind out, Argo CD the second.
NOT_APPLIED: "Final[dict[str, str]]" = {LOCAL_CONFIG: "true", "argocd.argoproj.io/hook": "Skip"}

# Whoever applies a whole commit at once, and is to do it in order; and the words by which the first of them is told.
ARGOCD, FLUX = "argocd", "flux"
ORDERINGS: "Final[tuple[str, ...]]" = (ARGOCD, FLUX)
WAVE: "Final" = "argocd.argoproj.io/sync-wave"
PRUNE_LAST: "Final[dict[str, str]]" = {"argocd.argoproj.io/sync-options": "PruneLast=true"}
# An object with these stays in the cluster when it leaves Git: Flux, kpt and Helm look for the first ones, Argo CD for
# the last, which is one among the options in its annotation.
LASTING: "Final[dict[str, str]]" = {
    "kustomize.toolkit.fluxcd.io/prune": "disabled",
    "client.lifecycle.config.k8s.io/deletion": "detach",
    "helm.sh/resource-policy": "keep",
}
LASTING_OPTION: "Final" = ("argocd.argoproj.io/sync-options", "Prune=false")

# The field that tells the entries of a list apart, by the name of the list.
MERGE_KEYS: "Final[dict[str, tuple[str, ...]]]" = {
    "containers": ("name",),
    "initContainers": ("name",),
    "ephemeralContainers": ("name",),
    "env": ("name",),
    "volumes": ("name",),
    "volumeMounts": ("mountPath",),
    "volumeDevices": ("devicePath",),
    "ports": ("containerPort", "protocol"),
    "imagePullSecrets": ("name",),
    "hostAliases": ("ip",),
    "topologySpreadConstraints": ("topologyKey", "whenUnsatisfiable"),
    "resourceClaims": ("name",),
}

# Routes that name sides in their own words, and the kind, of the same group, that says which pods those have.
COMPANIONS: "Final[dict[tuple[str, str], str]]" = {
    ("networking.istio.io", "VirtualService"): "DestinationRule",
    ("appmesh.k8s.aws", "VirtualRouter"): "VirtualNode",
}

# Objects that choose pods by label, and where they keep the selector.
SELECTORS: "Final[dict[tuple[str, str], tuple[tuple[str, ...], str]]]" = {
    ("networking.k8s.io", "NetworkPolicy"): (("spec", "podSelector"), "applies to"),
    ("policy", "PodDisruptionBudget"): (("spec", "selector"), "protects"),
    ("monitoring.coreos.com", "PodMonitor"): (("spec", "selector"), "scrapes"),
}


def body(ref: "Ref") -> "Ref":
    """Return the object in which the pods of a workload run: itself, or one of the same name."""
    api_version, kind = _runs(ref.group, ref.kind).runs
    return ref.replace(api_version=api_version, kind=kind) if kind else ref


def embodied(manifest: "Manifest") -> "Manifest":
    """Return the manifest of the object in which the pods of a workload run."""
    row = _runs(manifest["apiVersion"].rpartition("/")[0], manifest["kind"])
    if not row.keeps:
        return manifest
    metadata = dict(manifest["metadata"])
    annotations = metadata.pop("annotations", None) or {}
    if kept := {k: v for k, v in annotations.items() if k not in NOT_APPLIED and not k.startswith("krmfn.dev/")}:
        metadata["annotations"] = kept
    spec = {key: value for key, value in manifest["spec"].items() if key in row.keeps}
    return {"apiVersion": row.runs[0], "kind": row.runs[1], "metadata": metadata, "spec": spec}


def _runs(group: str, kind: str) -> Workload:
    return WORKLOADS.get((group, kind)) or Workload(())


def carried(metadata: "Manifest") -> "Manifest":
    """Return the metadata that a copy may keep: no name, nothing that belongs to the source alone."""
    kept: dict[str, Any] = {k: v for k, v in metadata.items() if k not in OWN_METADATA and k != "name"}
    for field, own in (("annotations", OWN_ANNOTATIONS), ("labels", OWN_LABELS)):
        kept.pop(field, None)
        values = metadata.get(field) or {}
        if left := {k: v for k, v in values.items() if not k.startswith(own)}:
            kept[field] = left
    return kept
