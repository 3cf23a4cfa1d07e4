"""OpenKruise Rollouts: ``rollouts.kruise.io/v1alpha1`` and ``v1beta1`` ``Rollout``, with ``TrafficRouting``.

Sources: the API reference and the validating webhooks of Kruise Rollouts, and what its controllers make of each field.
What cannot mean anything without a controller is accepted, and mentioned where a person could believe that it works.
"""

from krmfn.dialects.kruise.known import SPECS
from krmfn.dialects.kruise.reader import Reader
from krmfn.dialects.kruise.routes import Routing, routings
from krmfn.dialects.kruise.steps import check_order, step
from krmfn.kinds import PARTITION, TWIN
from krmfn.known import check
from krmfn.plan import Plan
from krmfn.results import INFO

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from krmfn.krm import Item
    from krmfn.plan import Step
    from krmfn.scene import Scene

WITHOUT_A_CONTROLLER = ("failureThreshold", "rolloutID")


def plan(rollout: "Item", scene: "Scene") -> Plan:
    """Return the plan of a Rollout. Raises ``Refused`` naming every field that is wrong."""
    reader = Reader(rollout, scene)
    check(reader.spec, SPECS[reader.version])
    routing = routings(reader)
    steps = tuple(_steps(reader, routing))
    if not steps and reader.strategy:
        reader.strategy.at("steps").problem("has no step")
    check_order(reader, steps)
    labels, annotations = _pod_metadata(reader)
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
        services=routing.services,
        routes=routing.routes,
        pod_labels=labels,
        pod_annotations=annotations,
        remarks=tuple(reader.remarks),
        paused="spec.strategy.paused" if paused else "",
        disabled=disabled,
        reads=(routing.ref,) if routing.ref else (),
    )


def _steps(reader: Reader, routing: Routing) -> "Iterator[Step]":
    """Yield the steps, each with its own rule, or all with that of a TrafficRouting."""
    routed = bool(routing.routes) and routing.rule is None
    for place in reader.strategy.sequence("steps"):
        found = step(place, reader, routed=routed)
        if routing.rule is None:
            yield found
        else:
            if place.has("traffic"):
                message = f"means nothing beside {routing.ref}, whose rule holds at every step"
                reader.remark(place.at("traffic"), message)
            yield found.replace(traffic=routing.rule)


def _pod_metadata(reader: Reader) -> "tuple[tuple[tuple[str, str], ...], tuple[tuple[str, str], ...]]":
    """Return the labels and annotations that only the canary's pods get: within one object there are none such."""
    patch = reader.strategy.mapping("patchPodTemplateMetadata")
    labels, annotations = patch.labels("labels"), patch.labels("annotations")
    if patch and reader.one_object:
        message = (
            f"is for a workload of the canary's own; the pods of one {reader.workload.kind} have what its template "
            "says, so this means nothing here: put what tells the versions apart into the template"
        )
        reader.remark(patch, message)
        return (), ()
    return tuple(labels.items()), tuple(annotations.items())
