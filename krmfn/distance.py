"""Canary pods that keep off the nodes of stable ones, by a label selector that is in the manifests."""

from krmfn.config import TRACK
from krmfn.isolation import Isolation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from krmfn.krm.item import Manifest

NODE = "kubernetes.io/hostname"
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"


def distant(template: "Manifest", selector: "Manifest", isolation: Isolation, weight: int) -> "Manifest":
    """Return the template of pods that avoid those of a workload with that selector: always (0), or by a weight.

    Whatever affinity the author has written is kept beside it.
    """
    term = {"labelSelector": _stable(selector, isolation), "topologyKey": NODE}
    key, entry = (PREFERRED, {"weight": weight, "podAffinityTerm": term}) if weight else (REQUIRED, term)
    pod = template.get("spec") or {}
    affinity = pod.get("affinity") or {}
    apart = affinity.get("podAntiAffinity") or {}
    apart = apart | {key: [*(apart.get(key) or ()), entry]}
    return template | {"spec": pod | {"affinity": affinity | {"podAntiAffinity": apart}}}


def _stable(selector: "Manifest", isolation: Isolation) -> "Manifest":
    """Return a selector of the stable pods only."""
    if isolation.stable:
        return selector | {"matchLabels": (selector.get("matchLabels") or {}) | {isolation.key: isolation.stable}}
    without = {"key": isolation.key or TRACK, "operator": "NotIn", "values": [isolation.canary]}
    return selector | {"matchExpressions": [*(selector.get("matchExpressions") or ()), without]}
