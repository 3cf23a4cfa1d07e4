"""The steps of the trait ``kruise-rollout``, with every rule that Kruise holds for what the trait makes of them."""

from itertools import pairwise

from krmfn.dialects.kubevela.reader import only
from krmfn.plan import EXACT, REGEX, Amount, Condition, Gate, Match, Step, Traffic
from krmfn.results import WARNING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from krmfn.dialects.kubevela.reader import Reader, Trait
    from krmfn.fields import Fields

ALL = 100
KEYS = ("weight", "replicas", "duration", "matches")
# An Ingress knows a cookie by this name of a header.
COOKIE = "canary-by-cookie"


def steps(reader: "Reader", trait: "Trait", *, routed: bool) -> tuple[Step, ...]:
    """Read the steps; without a route their weights say nothing but numbers of pods."""
    place = trait.properties
    canary = place.mapping("canary", required=True)
    found = tuple(_step(reader, entry, routed=routed) for entry in canary.sequence("steps"))
    if not found and canary:
        canary.at("steps").problem("has no step")
    auto, border = place.flag("auto"), place.whole("stepPartition")
    if auto or border is not None:
        passed = len(found) if border is None or auto else border
        found = tuple(step.replace(gate=Gate(0 if index < passed else None)) for index, step in enumerate(found))
    _check_order(canary, found)
    return found


def rolling(trait: "Trait", *, routed: bool) -> tuple[Step, ...]:
    """Read a ``rolling-release`` that its author wrote: its only step is the share that it stands at."""
    place = trait.properties
    weight = place.whole("weight", 1, ALL)
    pods, final = amount(place, weight), place.flag("final")
    done = weight == ALL or (final and place.has("replicas"))
    path = trait.place.path
    return (Step(pods, Traffic(weight) if routed else Traffic(), Gate(0 if done else None), path),)


def _step(reader: "Reader", place: "Fields", *, routed: bool) -> Step:
    only(place, KEYS)
    weight = place.whole("weight", 0 if place.has("replicas") else 1, ALL)
    pods = amount(place, weight)
    gate = Gate(place.whole("duration"))
    matches = tuple(_match(entry) for entry in place.sequence("matches"))
    if matches and not routed:
        place.at("matches").problem("has no route that could look at requests; add trafficRoutings")
    if matches and weight is not None:
        message = "has a weight beside matches; the matches win, and the rest goes to the stable side"
        reader.remark(place, message, WARNING)
        weight = None
    return Step(pods, Traffic(weight, matches) if routed else Traffic(), gate, place.path)


def amount(place: "Fields", weight: int | None) -> Amount:
    """Read how many pods there are: as many as the weight says, where nothing else is said."""
    field = place.at("replicas")
    if field.value is None:
        if not place.has("weight"):
            place.problem("has neither a weight nor replicas")
        return Amount(weight or 0, percent=True)
    if not isinstance(field.value, str):
        return Amount(place.whole("replicas", least=1) or 0)
    number = field.value.removesuffix("%")
    if number == field.value or not (number.isdecimal() and number.isascii()):
        message = f'{field.value!r} is no percentage; write a whole number and a percent sign, such as "33%"'
        field.problem(f"{message}, or a number of pods without quotes")
        return Amount(0)
    if not 0 < int(number) <= ALL:
        field.problem(f"{field.value} is out of range: 1% to 100%")
    return Amount(int(number), percent=True)


def _match(place: "Fields") -> Match:
    only(place, ("headers",))
    conditions = tuple(_conditions(place))
    if not conditions:
        place.problem("matches every request; name a header")
    return Match(conditions)


def _conditions(place: "Fields") -> "Iterator[Condition]":
    """Yield the headers; the schema of the trait writes their fields with capitals, its template without."""
    for entry in place.sequence("headers"):
        keys = {key: key if entry.has(key) else key.capitalize() for key in ("type", "name", "value")}
        only(entry, keys.values(), "write type, name and value")
        name, value = (entry.text(keys[key], required=True) for key in ("name", "value"))
        kind = entry.text(keys["type"], EXACT, choices=(EXACT, REGEX))
        yield Condition("cookie", value, "always") if name == COOKIE else Condition("header", name, value, kind)


def _check_order(place: "Fields", found: tuple[Step, ...]) -> None:
    """Hold the order that Kruise asks for: neither pods nor weights decrease."""
    entries = list(place.sequence("steps"))
    for number, (before, after) in enumerate(pairwise(found), 1):
        entry = entries[number]
        fewer = before.pods.percent == after.pods.percent and 0 < after.pods.number < before.pods.number
        if fewer and entry.has("replicas"):
            message = f"is {after.pods}, less than the {before.pods} of step {number}; replicas may not decrease"
            entry.at("replicas").problem(message)
        more, less = entries[number - 1].at("weight").value, entry.at("weight").value
        if isinstance(more, int) and isinstance(less, int) and less < more:
            entry.at("weight").problem(f"is {less}, less than the {more} of step {number}; weights may not decrease")
