"""What an object has to look like to be read: mappings where mappings belong, strings where strings do.

The API server refuses anything else. It is said once, when an object is first read and with every field that is wrong,
so that whatever comes behind may read plainly. Only what krmfn looks at is here. Sources: the API references of
Kubernetes (apps/v1, core/v1, networking.k8s.io/v1, metav1).
"""

from krmfn.fields import Fields, kind_of
from krmfn.kinds import AUTOSCALERS, SELECTORS, WORKLOADS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from krmfn.krm import Item
    from krmfn.krm.item import Ref

    # A mapping with these keys among others, a list of such (of one entry), or one of the words below.
    Shape = dict[str, "Shape"] | list["Shape"] | str

TEXT, TEXTS = "a string", "a mapping of strings"
METADATA: "Final[dict[str, Shape]]" = {
    "labels": TEXTS,
    "annotations": {},
    "name": TEXT,
    "namespace": TEXT,
    "finalizers": [TEXT],
}
SELECTOR: "Final[dict[str, Shape]]" = {
    "matchLabels": TEXTS,
    "matchExpressions": [{"key": TEXT, "operator": TEXT, "values": [TEXT]}],
}
_NAMED: "Shape" = {"name": TEXT}
_TERM: "dict[str, Shape]" = {"labelSelector": SELECTOR}
_AFFINITY: "Shape" = {
    "requiredDuringSchedulingIgnoredDuringExecution": [_TERM],
    "preferredDuringSchedulingIgnoredDuringExecution": [{"podAffinityTerm": _TERM}],
}
_SOURCE: "Shape" = {"configMap": _NAMED, "secret": {"secretName": TEXT, "name": TEXT}}
_CONTAINER: "Shape" = {
    "name": TEXT,
    "image": TEXT,
    "ports": [{}],
    "env": [{"name": TEXT, "valueFrom": {"configMapKeyRef": _NAMED, "secretKeyRef": _NAMED}}],
    "envFrom": [{"configMapRef": _NAMED, "secretRef": _NAMED}],
}
_VOLUME: "Shape" = {
    "configMap": _NAMED,
    "secret": {"secretName": TEXT},
    "projected": {"sources": [_SOURCE]},
    "persistentVolumeClaim": {"claimName": TEXT},
}
TEMPLATE: "Final[dict[str, Shape]]" = {
    "metadata": METADATA,
    "spec": {
        "containers": [_CONTAINER],
        "initContainers": [_CONTAINER],
        "ephemeralContainers": [_CONTAINER],
        "volumes": [_VOLUME],
        "affinity": {"podAffinity": _AFFINITY, "podAntiAffinity": _AFFINITY},
        "topologySpreadConstraints": [_TERM],
        "nodeSelector": TEXTS,
    },
}
_WORKLOAD: "Shape" = {"selector": SELECTOR, "template": TEMPLATE, "updateStrategy": {}}
_PATH: "Shape" = {"backend": {"service": _NAMED}}
SPECS: "Final[dict[tuple[str, str], Shape]]" = {
    ("", "Service"): {"selector": TEXTS, "ports": [{}], "type": TEXT, "clusterIP": TEXT},
    ("", "PersistentVolumeClaim"): {"accessModes": [TEXT]},
    ("networking.istio.io", "DestinationRule"): {"subsets": [{"name": TEXT, "labels": TEXTS}]},
    ("networking.k8s.io", "Ingress"): {"rules": [{"http": {"paths": [_PATH]}}], "defaultBackend": {"service": _NAMED}},
    **dict.fromkeys(WORKLOADS, _WORKLOAD),
    **{kind: {"scaleTargetRef": _NAMED} for kind in AUTOSCALERS},
    ("keda.sh", "ScaledObject"): {
        "scaleTargetRef": _NAMED,
        "advanced": {"horizontalPodAutoscalerConfig": _NAMED},
        "triggers": [{"type": TEXT, "name": TEXT, "metadata": TEXTS}],
    },
    **{kind: {path[-1]: SELECTOR} for kind, (path, _) in SELECTORS.items()},
    ("networking.k8s.io", "NetworkPolicy"): {
        "podSelector": SELECTOR,
        "ingress": [{"from": [{"podSelector": SELECTOR}]}],
        "egress": [{"to": [{"podSelector": SELECTOR}]}],
    },
}


def check(item: "Item") -> None:
    """Raise ``Refused`` with every field of an object in which something stands that cannot stand there."""
    check_manifest(item.value, item.ref)


def check_manifest(manifest: object, ref: "Ref") -> None:
    """Do as ``check`` for the manifest of an object that is, or is to be, called ``ref``."""
    spec = SPECS.get((ref.group, ref.kind), {})
    top = Fields({"": manifest}, ref).mapping("", required=True)
    top.text("apiVersion", required=True)
    row = WORKLOADS.get((ref.group, ref.kind))
    if row and not row.keeps:
        for field in ("template",) if row.revisions else ("selector", "template"):
            _require(top, "spec", field)
    _check(top, {"kind": TEXT, "metadata": METADATA, "spec": spec, "data": {}})
    top.settle()


def check_place(place: Fields, shape: "dict[str, Shape]") -> bool:
    """Note what cannot stand in a place of some shape; return whether everything can."""
    before = len(place.problems)
    _check(place, shape)
    return len(place.problems) == before


def _check(place: Fields, shape: "dict[str, Shape]") -> None:
    for key, inner in shape.items():
        if not place.has(key):
            continue
        if inner == TEXT:
            place.text(key)
        elif inner == TEXTS:
            place.labels(key)
        elif isinstance(inner, list):
            for entry in place.sequence(key):
                _entry(entry, inner[0])
        elif isinstance(inner, dict):
            _check(place.mapping(key), inner)


def _require(place: Fields, *path: str) -> None:
    for key in path:
        missing, place = not place.has(key), place.at(key)
        if missing:
            place.problem("is required")
            return


def _entry(place: Fields, shape: "Shape") -> None:
    wanted = str if shape == TEXT else dict
    if not isinstance(place.value, wanted):
        place.problem(f"must be {'a string' if wanted is str else 'a mapping'}, not {kind_of(place.value)}")
    elif isinstance(shape, dict):
        _check(place, shape)
