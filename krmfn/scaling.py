"""The autoscaler of a workload, how many pods it keeps at the least, and whether renewing them leaves any."""

from krmfn.changes import at
from krmfn.kinds import AUTOSCALERS, body

TYPE_CHECKING = False
if TYPE_CHECKING:
    from krmfn.krm import Item
    from krmfn.scene import Scene

# The one kind that a canary can have for itself: others scale on what both sides share.
OWN = "HorizontalPodAutoscaler"
_QUARTER = "25%"


def autoscaler(scene: "Scene", workload: "Item") -> "Item | None":
    """Return the object that owns the workload's number of pods, None where the author does."""
    for group, kind in AUTOSCALERS:
        for item in scene.of_kind(group, kind, workload.ref.name):
            spec = item.value.get("spec")
            target = spec.get("scaleTargetRef") if isinstance(spec, dict) else None
            if not isinstance(target, dict) or item.ref.namespace != workload.ref.namespace:
                continue
            if (target.get("name"), target.get("kind", "Deployment")) == (workload.ref.name, body(workload.ref).kind):
                return item
    return None


def least(item: "Item") -> int:
    """Return the least number of pods that an autoscaler keeps; each API has its own default."""
    path, default = AUTOSCALERS[item.ref.group, item.ref.kind]
    found = at(item.value, path)
    return found if isinstance(found, int) else default


def empties_itself(workload: "Item", total: int) -> bool:
    """Tell whether a Deployment may be without a ready pod while it takes a new template.

    Source: its controller, which rounds ``maxUnavailable`` down and ``maxSurge`` up, and takes one away where both
    come to nothing (``ResolveFenceposts``).
    """
    spec = workload.value["spec"]
    strategy = spec.get("strategy") if workload.ref.kind == "Deployment" else None
    if not isinstance(strategy, dict):
        return False
    rolling = strategy.get("rollingUpdate")
    limits = rolling if isinstance(rolling, dict) else {}
    surge = _whole(limits.get("maxSurge", _QUARTER), total, 99)
    away = _whole(limits.get("maxUnavailable", _QUARTER), total, 0) or int(not surge)
    return strategy.get("type") == "Recreate" or away >= total


def _whole(limit: object, total: int, rest: int) -> int:
    """Return a number of pods; of a share ``rest`` hundredths are added before it is rounded down."""
    text = str(limit)
    number = text.removesuffix("%")
    if not number.isdigit():
        return 0
    return (int(number) * total + rest) // 100 if text.endswith("%") else int(number)
