"""Argo Rollouts: ``argoproj.io/v1alpha1`` ``Rollout``, over a referenced Deployment or one of its own.

Sources: the API reference of Argo Rollouts, its validation, and what its controller makes of each field. Its steps are
instructions; here they are folded into the places where the controller would rest.
"""

from krmfn.dialects.argo import bluegreen, pods
from krmfn.dialects.argo.known import SPEC
from krmfn.dialects.argo.reader import Reader
from krmfn.dialects.argo.routers import Found, routers
from krmfn.dialects.argo.steps import Fold
from krmfn.kinds import TWIN
from krmfn.known import check
from krmfn.plan import Plan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from krmfn.krm import Item
    from krmfn.plan import Step
    from krmfn.scene import Scene


def plan(rollout: "Item", scene: "Scene") -> Plan:
    """Return the plan of a Rollout. Raises ``Refused`` naming every field that is wrong."""
    reader = Reader(rollout, scene)
    reader.mention()
    check(reader.spec, SPEC)
    found, steps = _blue_green(reader) if reader.blue_green else _canary(reader)
    canary, stable = pods.metadata(reader)
    avoids = pods.avoids(reader)
    paused = reader.spec.flag("paused")
    reader.top.settle()
    return Plan(
        rollout=rollout.ref,
        workload=reader.workload,
        workload_field=reader.workload_field,
        style=TWIN,
        steps=steps,
        shares=any(step.stable is not None for step in steps),
        services=found.services,
        routes=found.routes,
        pod_labels=canary.labels,
        pod_annotations=canary.annotations,
        remarks=tuple(reader.remarks),
        paused="spec.paused" if paused else "",
        makes=found.makes,
        apart=found.apart,
        avoids=avoids,
        stable_labels=stable.labels,
        stable_annotations=stable.annotations,
        labelled=pods.labelled(reader),
    )


def _canary(reader: Reader) -> "tuple[Found, tuple[Step, ...]]":
    found = routers(reader)
    return found, Fold(reader, found.matches).steps()


def _blue_green(reader: Reader) -> "tuple[Found, tuple[Step, ...]]":
    return Found(bluegreen.services(reader)), bluegreen.steps(reader)
