"""Moving over from a live controller, in nobody's dialect: a few commits, and what to wait for between them.

A dialect says what they are, since it knows what its controller does with the pods when its resource goes. The last
commit always ends at position 0: the rollout is no longer applied, and everything that stage 0 has stands in Git.
"""

from krmfn.changes import GONE
from krmfn.fields import Fields
from krmfn.frozen import Value
from krmfn.kinds import LASTING, LASTING_OPTION, NOT_APPLIED
from krmfn.results import Refused
from krmfn.view import Edited

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from krmfn.errors import KrmfnError
    from krmfn.krm import Item
    from krmfn.krm.item import Ref

# On a rollout that is being moved over: the commit at which it stands.
MARK = "krmfn.dev/adopt"


class Commit(Value):
    """One commit: what it does and why, what to do by hand ``before`` it, and what has to happen ``then``.

    ``edits`` change the author's objects, on top of those of the commits before; ``brings`` are objects of stage 0 that
    stand from here on. ``nulls`` are fields that the controller wrote into the cluster alone: here, and for hosts that
    apply on the client's side, they are written as null, which removes them.
    """

    title: str
    why: str
    then: tuple[str, ...]
    before: tuple[str, ...] = ()
    edits: tuple[Edited, ...] = ()
    brings: "tuple[Ref, ...]" = ()
    nulls: "tuple[tuple[Item, tuple[str, ...]], ...]" = ()


class Signs:
    """What in a package says that a release is under way, gathered: moving over in the middle of one loses it."""

    def __init__(self, rollout: "Item") -> None:
        """Begin with a rollout; ``moving`` says that its pause is ours, since it is being moved over."""
        self.problems: list[KrmfnError] = []
        self.top = self.of(rollout)
        self.moving = self.top.mapping("metadata").mapping("annotations").has(MARK)

    def of(self, item: "Item") -> Fields:
        """Return the fields of an object, whose problems are gathered here."""
        return Fields(item.value, item.ref, "", self.problems)

    def paused(self, place: Fields) -> None:
        """Note a rollout that somebody has paused."""
        if place.value is True and not self.moving:
            place.problem(
                "is true: a release may stand in the middle; end it, and set this to false before moving over"
            )

    def phase(self, place: Fields, resting: tuple[str, ...]) -> None:
        """Note a phase in the status that is none in which nothing moves."""
        if place.value is not None and place.value not in resting:
            place.problem(f"is {place.value}: wait until it is {' or '.join(resting)}, or withdraw the release")

    def stands(self, place: Fields, keys: tuple[str, ...], kind: str = "release") -> None:
        """Note labels or annotations that a controller keeps on an object for as long as a release is under way."""
        for key in keys:
            if place.has(key):
                place.at(key).problem(f"is there for as long as a {kind} is under way; end it before moving over")

    def weighs(self, item: "Item", canary: str) -> None:
        """Note every backend of a route by which the canary gets requests, be it a Service or a subset of one."""
        for place in self._weights(item, canary):
            message = f"sends {place.value} to the canary, {canary}; end the release, and write 0 before moving over"
            place.problem(message)

    def divides(self, item: "Item", services: tuple[str, ...]) -> None:
        """Note a route of which each of some Services gets requests, whichever of them is the canary's."""
        found = {service: list(self._weights(item, service)) for service in services}
        for place in (place for places in found.values() for place in places if all(found.values())):
            place.problem(f"is {place.value}, and {' and '.join(found)} get requests; end the release")

    def _weights(self, item: "Item", service: str) -> "Iterator[Fields]":
        for place in _backends(self.of(item), service):
            weight = place.at("weight")
            if isinstance(weight.value, int | float) and weight.value > 0:
                yield weight

    def settle(self) -> None:
        """Raise ``Refused`` with all of them, if there is any."""
        if self.problems:
            raise Refused(self.problems)


def _backends(place: Fields, service: str) -> "Iterator[Fields]":
    """Yield each mapping below a place that names a Service, or a subset, in whatever way its API does."""
    value = place.value
    if isinstance(value, dict):
        destination = value.get("destination")
        mesh = destination if isinstance(destination, dict) else {}
        names = (*(value.get(key) for key in ("name", "serviceName", "service")), mesh.get("subset"))
        if service and service in (*names, str(mesh.get("host") or "").partition(".")[0]) and "weight" in value:
            yield place
    inner = value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in inner:
        yield from _backends(place.at(key), service)


def apart(item: "Item") -> "Iterator[Edited]":
    """Yield what keeps an object out of the cluster: it is read by krmfn alone."""
    return (Edited(item, ("metadata", "annotations", key), value) for key, value in NOT_APPLIED.items())


def kept(item: "Item") -> "Iterator[Edited]":
    """Yield what makes hosts leave an object in the cluster that has left Git; what it owns would go with it."""
    annotations = _annotations(item)
    for key, value in LASTING.items():
        yield Edited(item, ("metadata", "annotations", key), value)
    key, option = LASTING_OPTION
    options = [part for part in annotations.get(key, "").split(",") if part and part != option]
    yield Edited(item, ("metadata", "annotations", key), ",".join([*options, option]))


def released(item: "Item") -> "Iterator[Edited]":
    """Yield what takes that away again, and the mark of moving over: the object is for krmfn alone from then on."""
    key, option = LASTING_OPTION
    left = {k: v for k, v in _annotations(item).items() if k not in (*LASTING, *NOT_APPLIED, MARK, key)}
    if options := [part for part in _annotations(item).get(key, "").split(",") if part and part != option]:
        left[key] = ",".join(options)
    yield Edited(item, ("metadata", "annotations"), left or GONE)


def _annotations(item: "Item") -> dict[str, str]:
    return (item.value.get("metadata") or {}).get("annotations") or {}


def without(item: "Item", key: str) -> "Iterator[Edited]":
    """Yield what takes an annotation away, with the mapping where it was the only one."""
    annotations = _annotations(item)
    if key in annotations:
        path = ("metadata", "annotations")
        yield Edited(item, (*path, key) if len(annotations) > 1 else path)


def crowd(scaler: "Item", of: str) -> str:
    """Say what to do about an autoscaler, whose pods are few while others still have the requests."""
    return (
        f"see how many pods {of} has: where that is more than the minimum of {scaler.ref}, write it there until the "
        "move is over, for pods without requests are few"
    )


def selectors(services: "Iterable[Ref]") -> str:
    """Write the command that shows what some Services select."""
    found = tuple(services)
    return show(found, f"{'.items[*]' if len(found) > 1 else ''}.spec.selector")


def show(refs: "Ref | tuple[Ref, ...]", *paths: str) -> str:
    """Write the command that shows some fields."""
    return kubectl("get", refs, "-o", f"jsonpath='{' '.join(f'{{{path}}}' for path in paths)}'")


def kubectl(verb: str, refs: "Ref | tuple[Ref, ...]", *more: str) -> str:
    """Write a command about an object, or about some of one namespace."""
    found = refs if isinstance(refs, tuple) else (refs,)
    kinds = (f"{ref.kind}.{ref.group}" if "." in ref.group else ref.kind for ref in found)
    names = (f"{kind.lower()}/{ref.name}" for kind, ref in zip(kinds, found, strict=True))
    place = ("-n", found[0].namespace) if found[0].namespace else ()
    return " ".join(("kubectl", verb, *names, *place, *more))
