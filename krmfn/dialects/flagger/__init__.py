"""Flagger: ``flagger.app/v1beta1`` ``Canary``, with the Services and the route that its controller would make.

Sources: Flagger's custom resource definition, and what its controller and its routers make of each field. Stable pods
run in the workload that the author wrote, and canary pods beside it; Flagger has it the other way round.
"""

from krmfn.dialects.flagger import scaler
from krmfn.dialects.flagger.analysis import ready, returns, steps
from krmfn.dialects.flagger.known import SPEC
from krmfn.dialects.flagger.providers import provided
from krmfn.dialects.flagger.reader import Reader
from krmfn.dialects.flagger.services import services
from krmfn.dialects.flagger.tracking import untracked
from krmfn.dialects.flagger.unheard import mention
from krmfn.kinds import TWIN
from krmfn.known import check
from krmfn.plan import Plan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from krmfn.krm import Item
    from krmfn.scene import Scene


def plan(rollout: "Item", scene: "Scene") -> Plan:
    """Return the plan of a Canary. Raises ``Refused`` naming every field that is wrong."""
    reader = Reader(rollout, scene)
    check(reader.spec, SPEC)
    beside = reader.style == TWIN
    made = tuple(services(reader)) if beside else ()
    routes, objects = provided(reader)
    found = steps(reader)
    back, available = returns(reader, found), ready(reader)
    scaler.check(reader)
    mention(reader)
    paused = reader.spec.flag("suspend")
    reader.top.settle()
    return Plan(
        rollout=rollout.ref,
        workload=reader.workload,
        workload_field=reader.workload_field,
        style=reader.style,
        steps=found,
        returns=back,
        services=reader.pairs if beside else (),
        routes=routes,
        remarks=tuple(reader.remarks),
        paused="spec.suspend" if paused else "",
        makes=(*made, *objects),
        versioned=beside,
        unversioned=tuple(untracked(reader)),
        ready=available,
    )
