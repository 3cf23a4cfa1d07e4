"""The autoscaler of a workload, and how many pods it keeps at the least."""

from krmfn.changes import at
from krmfn.kinds import AUTOSCALERS, body

TYPE_CHECKING = False
if TYPE_CHECKING:
    from krmfn.krm import Item
    from krmfn.scene import Scene

# The one kind that a canary can have for itself: others scale on what both sides share.
OWN = "HorizontalPodAutoscaler"


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
