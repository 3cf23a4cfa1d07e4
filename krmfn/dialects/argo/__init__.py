"""Argo Rollouts: ``argoproj.io/v1alpha1`` ``Rollout``, over a referenced Deployment or one of its own.

Sources: the API reference of Argo Rollouts, its validation, and what its controller makes of each field. Its steps are
instructions; here they are folded into the places where the controller would rest.
"""

from krmfn.dialects.argo import bluegreen
from krmfn.dialects.argo.reader import Reader
from krmfn.dialects.argo.routers import routers
from krmfn.dialects.argo.steps import Fold
from krmfn.kinds import TWIN
from krmfn.plan import Plan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from krmfn.krm import Item
    from krmfn.plan import Pair, Route, Step
    from krmfn.scene import Scene

    Parts = tuple[tuple[Pair, ...], tuple[Route, ...], tuple[Step, ...]]


def plan(rollout: "Item", scene: "Scene") -> Plan:
    """Return the plan of a Rollout. Raises ``Refused`` naming every field that is wrong."""
    reader = Reader(rollout, scene)
    reader.mention()
    pairs, routes, steps = _blue_green(reader) if reader.blue_green else _canary(reader)
    metadata = (reader.blue_green or reader.canary).mapping(
        "previewMetadata" if reader.blue_green else "canaryMetadata"
    )
    labels, annotations = metadata.labels("labels"), metadata.labels("annotations")
    paused = reader.spec.flag("paused")
    reader.top.settle()
    return Plan(
        rollout=rollout.ref,
        workload=reader.workload,
        workload_field=reader.workload_field,
        style=TWIN,
        steps=steps,
        shares=any(step.stable is not None for step in steps),
        services=pairs,
        routes=routes,
        pod_labels=tuple(labels.items()),
        pod_annotations=tuple(annotations.items()),
        remarks=tuple(reader.remarks),
        paused="spec.paused" if paused else "",
    )


def _canary(reader: Reader) -> "Parts":
    pairs, routes, matches = routers(reader)
    return pairs, routes, Fold(reader, matches).steps()


def _blue_green(reader: Reader) -> "Parts":
    return bluegreen.services(reader), (), bluegreen.steps(reader)
