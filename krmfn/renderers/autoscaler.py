"""The autoscaler: the canary gets one of its own where the two can tell their pods apart.

Two HorizontalPodAutoscalers whose workloads select the same pods stop each other (``AmbiguousSelector``), so elsewhere
the canary keeps a fixed number of pods. A ScaledObject makes a HorizontalPodAutoscaler.
"""

from krmfn.config import RENAME
from krmfn.errors import KrmfnError
from krmfn.fields import Fields
from krmfn.frozen import Value
from krmfn.isolation import canary_name, short
from krmfn.kinds import PARTITION
from krmfn.results import WARNING, Result
from krmfn.scaling import autoscaler
from krmfn.view import Added, View

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Final

    from krmfn.krm import Item
    from krmfn.krm.item import Manifest
    from krmfn.triggers import Names


class Limits(Value):
    """Where a kind keeps the least and the most pods, the most by default (None: always written), and long names."""

    least: str
    most: str
    usual: int | None = None
    long: int = 253


# A ScaledObject's name becomes the value of a label.
LIMITS: "Final[dict[str, Limits]]" = {
    "HorizontalPodAutoscaler": Limits("minReplicas", "maxReplicas"),
    "ScaledObject": Limits("minReplicaCount", "maxReplicaCount", usual=100, long=63),
}
ELSEWHERE = ("External", "Object")
PAUSED = "autoscaling.keda.sh/paused-replicas"


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
        yield from _asked(view, item, _canary(view, item))
    elif view.plan.style != PARTITION:
        message = (
            f"counts the canary's pods into its average, and {view.canary.name} keeps the number of pods of its step; "
            f"with `isolation: {RENAME}` it gets a {item.ref.kind} of its own"
        )
        yield Result(WARNING, message, item.ref, "spec.scaleTargetRef", item.path)


def _canary(view: View, item: "Item") -> "Manifest":
    source, row = item.value, LIMITS[item.ref.kind]
    step = view.plan.step_at(view.position.end) or view.plan.step_at(view.position.start)
    most = source["spec"].get(row.most, row.usual)
    share = step.pods.of(most) if step and isinstance(most, int) else most
    count = max(1, view.stage.canary or 0)
    limits = {row.least: count, row.most: max(count, share) if isinstance(share, int) else share}
    target = source["spec"]["scaleTargetRef"] | {"name": view.canary.name}
    spec = source["spec"] | {"scaleTargetRef": target} | limits
    return view.copied(source, short(f"{item.ref.name}-canary", row.long), spec)


def _asked(view: View, item: "Item", canary: "Manifest") -> "Iterator[Added | Result]":
    """Yield the canary's autoscaler, where it has triggers with those of the canary, and what is to know of them."""
    spec = canary["spec"]
    if "triggers" in spec:
        from krmfn.triggers import triggers  # few workloads are scaled by queries

        names, listed = _names(view), []
        for number, (trigger, remarks) in enumerate(triggers(spec["triggers"] or [], names)):
            listed.append(trigger)
            for remark in remarks if view.stage.canary else ():
                yield Result(WARNING, remark, item.ref, f"spec.triggers[{number}]", item.path)
        canary = _scaled(view, canary | {"spec": spec | {"triggers": listed}})
    yield from _shared(item) if view.stage.canary else ()
    yield Added(canary, item)


def _shared(item: "Item") -> "Iterator[Result]":
    """Yield what there is to know of metrics that are not measured at the pods."""
    for metric in Fields(item.value, item.ref).mapping("spec").sequence("metrics"):
        kind = str(metric.at("type").value)
        if kind in ELSEWHERE:
            name = metric.mapping(kind.lower()).mapping("metric").text("name")
            message = f"the metric {name or kind} is not that of the pods, so it scales both sides by the same number"
            yield Result(WARNING, message, item.ref, metric.path, item.path)


def _scaled(view: View, canary: "Manifest") -> "Manifest":
    """Return a ScaledObject that keeps the canary's pods: never none where requests may come, none where it drains."""
    metadata, spec = canary["metadata"], {k: v for k, v in canary["spec"].items() if k != "idleReplicaCount"}
    advanced = spec.get("advanced") or {}
    config = advanced.get("horizontalPodAutoscalerConfig") or {}
    if config.get("name"):
        named = config | {"name": canary_name(config["name"])}
        spec["advanced"] = advanced | {"horizontalPodAutoscalerConfig": named}
    if not view.stage.canary:
        metadata = metadata | {"annotations": (metadata.get("annotations") or {}) | {PAUSED: "0"}}
    return canary | {"metadata": metadata, "spec": spec}


def _names(view: View) -> "Names":
    """Return what both sides are called."""
    from krmfn.triggers import Names

    services = ((pair.stable, short(pair.canary)) for pair in view.plan.services if pair.canary)
    pods = (view.isolation.stable, view.isolation.canary)
    pairs = ((view.body.name, view.canary.name), *services, pods)
    return Names(tuple(dict.fromkeys(pair for pair in pairs if pair[0] != pair[1])))
