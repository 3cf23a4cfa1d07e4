"""One Application while it is read: its components with their traits, and what there is to remark."""

from krmfn.fields import Fields, top
from krmfn.frozen import Value
from krmfn.results import INFO, Result

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from krmfn.krm import Item
    from krmfn.krm.item import Manifest
    from krmfn.scene import Scene

GROUP, VERSION = "core.oam.dev", "v1beta1"
# The labels by which what belongs to an Application, and to one of its components, is known.
APPLICATION, COMPONENT = "app.oam.dev/name", "app.oam.dev/component"
CONTROLLER = "is for a controller, and means nothing here"
KEYS = ("name", "type", "properties", "traits", "dependsOn")
# Policies that decide where and how objects are applied, and not what they are.
POLICIES = (
    "apply-once",
    "garbage-collect",
    "health",
    "read-only",
    "resource-update",
    "shared-resource",
    "take-over",
    "topology",
)


class Trait(Value):
    """A trait of a component: what kind it is, where it stands, and its parameters."""

    type: str
    place: Fields
    properties: Fields


class Component(Value):
    """A component; ``place`` is where it stands."""

    name: str
    type: str
    place: Fields
    properties: Fields
    traits: tuple[Trait, ...]

    def having(self, *types: str) -> list[Trait]:
        """Return the traits of some kinds."""
        return [trait for trait in self.traits if trait.type in types]


class Reader:
    """One Application and its components."""

    def __init__(self, rollout: "Item", scene: "Scene") -> None:
        """Read the components, in the order in which they stand."""
        self.top, self.scene = top(rollout, f"{GROUP}/{VERSION}"), scene
        self.remarks: list[Result] = []
        self.name, self.namespace = rollout.ref.name, rollout.ref.namespace
        self.spec = self.top.mapping("spec", required=True)
        self.components = tuple(self._component(place) for place in self.spec.sequence("components"))
        names = [component.name for component in self.components]
        for component in {c.name: c for c in self.components if names.count(c.name) > 1}.values():
            component.place.at("name").problem(f"{component.name!r} is the name of another component as well")
        self._check_policies()

    def settle(self) -> None:
        """Raise what is wrong, each thing once: some places are read for several ends."""
        problems = self.top.problems
        problems[:] = {(problem.ref, problem.field, problem.message): problem for problem in problems}.values()
        self.top.settle()

    def remark(self, place: Fields, message: str, severity: str = INFO) -> None:
        """Note something that is not wrong."""
        self.remarks.append(Result(severity, message, place.ref, place.path))

    def metadata(self, component: Component, name: str = "") -> "Manifest":
        """Return the metadata of an object that is made for a component, which is its name where none is given."""
        place = {"namespace": self.namespace} if self.namespace else {}
        labels = {APPLICATION: self.name, COMPONENT: component.name}
        return {"name": name or component.name} | place | {"labels": labels}

    def _component(self, place: Fields) -> Component:
        only(place, KEYS)
        traits = tuple(
            Trait(trait.text("type", required=True), trait, trait.mapping("properties"))
            for trait in place.sequence("traits")
        )
        if place.has("dependsOn"):
            self.remark(place.at("dependsOn"), CONTROLLER)
        name, kind = place.text("name", required=True), place.text("type", required=True)
        return Component(name, kind, place, place.mapping("properties"), traits)

    def _check_policies(self) -> None:
        for place in self.spec.sequence("policies"):
            kind = place.text("type", required=True)
            if kind not in POLICIES:
                message = f"{kind} changes what the components are; write what it comes to into the components"
                place.at("type").problem(message)
            elif place.mapping("properties").has("namespace"):
                message = "puts the objects elsewhere; give the Application that namespace"
                place.mapping("properties").at("namespace").problem(message)
            else:
                self.remark(place, f"{kind} {CONTROLLER}")


def only(place: Fields, known: "Iterable[str]", instead: str = "") -> None:
    """Refuse the keys of a mapping that nothing is made of."""
    for key in place.names():
        if key not in known and place.has(key):
            place.at(key).problem(f"is not rendered; {instead or 'that can be: ' + ', '.join(known)}")
