"""OpenKruise Rollouts: ``rollouts.kruise.io/v1alpha1`` and ``v1beta1`` ``Rollout``, with ``TrafficRouting``.

Sources: the API reference and the validating webhooks of Kruise Rollouts, and what its controllers make of each field.
What cannot mean anything without a controller is accepted, and mentioned where a person could believe that it works.
"""

from krmfn.dialects.kruise.reader import Reader
from krmfn.dialects.kruise.routes import routings
from krmfn.dialects.kruise.steps import check_order, step
from krmfn.kinds import PARTITION, TWIN
from krmfn.plan import Plan
from krmfn.results import INFO

TYPE_CHECKING = False
if TYPE_CHECKING:
    from krmfn.krm import Item
    from krmfn.scene import Scene

WITHOUT_A_CONTROLLER = ("failureThreshold", "rolloutID")


def plan(rollout: "Item", scene: "Scene") -> Plan:
    """Return the plan of a Rollout. Raises ``Refused`` naming every field that is wrong."""
    reader = Reader(rollout, scene)
    services, routes, shared = routings(reader)
    steps = tuple(step(place, reader, routed=bool(routes)) for place in reader.strategy.sequence("steps"))
    if not steps and reader.strategy:
        reader.strategy.at("steps").problem("has no step")
    check_order(reader, steps)
    if shared:
        steps = tuple(one.replace(traffic=shared) for one in steps)
    patch = reader.strategy.mapping("patchPodTemplateMetadata")
    labels, annotations = patch.labels("labels"), patch.labels("annotations")
    for place in (reader.spec, reader.strategy):
        for key in WITHOUT_A_CONTROLLER:
            if place.has(key):
                reader.remark(place.at(key), "is for a controller, and means nothing here", INFO)
    paused = reader.spec.mapping("strategy").flag("paused")
    disabled = reader.spec.flag("disabled")
    reader.top.settle()
    return Plan(
        rollout=rollout.ref,
        workload=reader.workload,
        workload_field=reader.workload_field,
        style=PARTITION if reader.one_object else TWIN,
        steps=steps,
        shares=reader.shares,
        services=services,
        routes=routes,
        pod_labels=tuple(labels.items()),
        pod_annotations=tuple(annotations.items()),
        remarks=tuple(reader.remarks),
        paused="spec.strategy.paused" if paused else "",
        disabled=disabled,
    )
