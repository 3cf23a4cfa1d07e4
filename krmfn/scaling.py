"""The autoscaler of a workload, how many pods it keeps at the least, and whether renewing them leaves any."""

from krmfn.changes import at
from krmfn.frozen import Value
from krmfn.kinds import AUTOSCALERS, body

TYPE_CHECKING = False
if TYPE_CHECKING:
    from krmfn.krm import Item
    from krmfn.krm.item import Manifest
    from krmfn.scene import Scene


class Renewal(Value):
    """How a kind takes a new template: in which field it says so, and what holds where that says nothing.

    ``inside`` is where the limits are in that field; ``up`` that a share of pods that may be missing is rounded up.
    """

    field: str
    inside: str
    surge: str
    away: str
    up: bool


# Sources: ``ResolveFenceposts`` of the Deployment's controller; the API references of DaemonSet and CloneSet.
_RENEWALS = {
    "Deployment": Renewal("strategy", "rollingUpdate", "25%", "25%", up=False),
    "DaemonSet": Renewal("updateStrategy", "rollingUpdate", "0", "1", up=True),
    "CloneSet": Renewal("updateStrategy", "", "0", "20%", up=True),
}


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
    """Tell whether a workload may be without a ready pod while it takes a new template.

    Its controller rounds ``maxSurge`` up, and takes one pod away where it may neither have more nor fewer.
    """
    row = _RENEWALS.get(workload.ref.kind)
    if row is None:
        return False
    strategy = _mapping(workload.value["spec"], row.field)
    limits = _mapping(strategy, row.inside) if row.inside else strategy
    surge = _whole(limits.get("maxSurge", row.surge), total, 99)
    away = _whole(limits.get("maxUnavailable", row.away), total, 99 if row.up and not surge else 0) or int(not surge)
    return strategy.get("type") == "Recreate" or away >= total


def renewal(workload: "Item") -> str:
    """Return the field in which a workload says how it takes a new template."""
    return f"spec.{_RENEWALS[workload.ref.kind].field}"


def _mapping(parent: "Manifest", key: str) -> "Manifest":
    found = parent.get(key)
    return found if isinstance(found, dict) else {}


def _whole(limit: object, total: int, rest: int) -> int:
    """Return a number of pods; of a share ``rest`` hundredths are added before it is rounded down."""
    text = str(limit)
    number = text.removesuffix("%")
    if not number.isdigit():
        return 0
    return (int(number) * total + rest) // 100 if text.endswith("%") else int(number)
