"""The autoscaler: the canary gets one of its own where the two can tell their pods apart.

Two HorizontalPodAutoscalers whose workloads select the same pods stop each other (``AmbiguousSelector``), so elsewhere
the canary keeps a fixed number of pods.
"""

from krmfn.config import RENAME, ROLLOUT
from krmfn.errors import KrmfnError
from krmfn.isolation import canary_name, short
from krmfn.kinds import PARTITION, carried
from krmfn.results import WARNING, Result
from krmfn.scaling import OWN, autoscaler
from krmfn.view import Added, View

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from krmfn.krm import Item
    from krmfn.krm.item import Manifest


def render(view: View) -> "Iterator[Added | Result]":
    """Yield the canary's autoscaler, or say why it has none. Raises KrmfnError where two would own one number."""
    item = autoscaler(view.scene, view.workload)
    if item is None or view.stage.canary is None:
        return
    if view.plan.shares:
        message = (
            f"owns the number of pods of {view.workload.ref}, which in batches is divided between two objects; release "
            "it as a canary beside the stable one, or take the autoscaler out until the release is complete"
        )
        raise KrmfnError(message, ref=item.ref, field="spec.scaleTargetRef", file=item.path)
    if view.owns_autoscaler:
        yield Added(_canary(view, item), item)
    elif view.plan.style != PARTITION:
        apart = view.isolation.mode == RENAME
        counts = "does not see the canary's pods" if apart else "counts the canary's pods into its average"
        message = f"{counts}, and {view.canary.name} keeps the number of pods of its step"
        if item.ref.kind == OWN:
            message += f"; with `isolation: {RENAME}` it gets a {OWN} of its own"
        yield Result(WARNING, message, item.ref, "spec.scaleTargetRef", item.path)


def _canary(view: View, item: "Item") -> "Manifest":
    source, ref = item.value, item.ref
    metadata = carried(source.get("metadata") or {})
    metadata["labels"] = (metadata.get("labels") or {}) | {ROLLOUT: short(view.plan.rollout.name)}
    step = view.plan.step_at(view.position.end) or view.plan.step_at(view.position.start)
    most = source["spec"].get("maxReplicas")
    share = step.pods.of(most) if step and isinstance(most, int) else most
    count = max(1, view.stage.canary or 0)
    limits = {"minReplicas": count, "maxReplicas": max(count, share) if isinstance(share, int) else share}
    target = source["spec"]["scaleTargetRef"] | {"name": view.canary.name}
    return {
        "apiVersion": source["apiVersion"],
        "kind": source["kind"],
        "metadata": {"name": canary_name(ref.name)} | metadata,
        "spec": source["spec"] | {"scaleTargetRef": target} | limits,
    }
