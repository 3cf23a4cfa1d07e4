"""What is released, and how: by a trait of a component, or by the workflow."""

from krmfn.dialects.kubevela import workflow
from krmfn.dialects.kubevela.objects import ROLLOUTS
from krmfn.dialects.kubevela.reader import CONTROLLER, Trait, only
from krmfn.dialects.kubevela.routing import inferred, routings
from krmfn.dialects.kubevela.steps import rolling, steps
from krmfn.dialects.kubevela.workload import workload
from krmfn.frozen import Value
from krmfn.krm.item import Ref
from krmfn.plan import Pair, Route, Step

TYPE_CHECKING = False
if TYPE_CHECKING:
    from krmfn.dialects.kubevela.reader import Component, Reader
    from krmfn.krm.item import Manifest

KRUISE, ROLLING = ROLLOUTS
KRUISE_KEYS = ("auto", "releaseMode", "canary", "workloadType", "stepPartition")
ROLLING_KEYS = ("weight", "replicas", "final", "workloadType", "rolloutType")
BATCH, PARTITION, CANARY = "batch", "partition", "canary"


class Release(Value):
    """A release; ``batches`` says that the stable pods become fewer as the new ones become more."""

    workload: Ref
    batches: bool
    services: tuple[Pair, ...]
    routes: tuple[Route, ...]
    steps: tuple[Step, ...]


def released(reader: "Reader") -> "tuple[Component, Trait]":
    """Return the component that is released, and what asks for that. Raises ``Refused`` where that is not one."""
    found = [(component, trait) for component in reader.components for trait in component.having(*ROLLOUTS)]
    deploying = workflow.deploying(reader)
    where = reader.spec.at("components")
    if found and deploying:
        found[0][1].place.problem(f"stands beside {workflow.DEPLOY} in the workflow; keep one of the two")
    elif deploying:
        asked = Trait(workflow.DEPLOY, deploying[0], deploying[0].mapping("properties"))
        where = asked.properties.at("components")
        found = [(component, asked) for component in workflow.components(reader, where)]
    if len(found) > 1:
        names = ", ".join(component.name for component, _ in found)
        instead = "name one of them" if deploying else "write an Application for each"
        where.problem(f"asks for {len(found)} releases ({names}), and an Application has one position; {instead}")
    if not found:
        where.problem("has no component that could be released")
        reader.settle()
    return found[0]


def release(reader: "Reader", component: "Component", asked: Trait, objects: "list[Manifest]") -> Release:
    """Read the release of a component, whose objects these are."""
    if asked.type in ROLLOUTS and reader.spec.has("workflow"):
        reader.remark(reader.spec.at("workflow"), f"{CONTROLLER}: the release is that of the trait")
    if asked.type == KRUISE:
        return _kruise(reader, component, asked, objects)
    place = asked.properties
    kind = place.mapping("workloadType")
    ref = workload(reader, component, objects, kind)
    services, routes = inferred(component, place)
    if asked.type == ROLLING:
        only(place, ROLLING_KEYS)
        found = rolling(asked, routed=bool(routes))
    else:
        found = workflow.steps(reader, routed=bool(routes))
    batches = place.text("rolloutType", PARTITION, choices=(PARTITION, CANARY)) == PARTITION
    return Release(ref, batches, services, routes, found)


def _kruise(reader: "Reader", component: "Component", asked: Trait, objects: "list[Manifest]") -> Release:
    place = asked.properties
    only(place, KRUISE_KEYS)
    only(place.mapping("canary"), ("steps", "trafficRoutings"))
    ref = workload(reader, component, objects, place.mapping("workloadType"))
    # What a chart calls its workload, it calls its Service and its Ingress.
    services, routes = routings(component, place.mapping("canary"), component.name if objects else ref.name)
    batches = place.text("releaseMode", CANARY, choices=(CANARY, BATCH)) == BATCH
    return Release(ref, batches, services, routes, steps(reader, asked, routed=bool(routes)))
