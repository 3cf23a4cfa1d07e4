"""Argo Rollouts: ``argoproj.io/v1alpha1`` ``Rollout``, canary over a referenced Deployment.

Sources: the API reference of Argo Rollouts, its validation, and what its controller makes of each field. Its steps are
instructions; here they are folded into the places where the controller would rest.
"""

from krmfn.dialects.argo.reader import Reader
from krmfn.dialects.argo.routers import routers
from krmfn.dialects.argo.steps import Fold
from krmfn.kinds import TWIN
from krmfn.plan import Plan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from krmfn.krm import Item
    from krmfn.scene import Scene


def plan(rollout: "Item", scene: "Scene") -> Plan:
    """Return the plan of a Rollout. Raises ``Refused`` naming every field that is wrong."""
    reader = Reader(rollout, scene)
    reader.mention()
    pairs, routes, matches = routers(reader)
    steps = Fold(reader, matches).steps()
    metadata = reader.canary.mapping("canaryMetadata")
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
