"""The workflow ``canary-deploy`` … ``suspend`` … ``canary-deploy``: each step of it that deploys is a step."""

from krmfn.dialects.kubevela.reader import only
from krmfn.dialects.kubevela.steps import ALL
from krmfn.plan import Amount, Gate, Step, Traffic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from krmfn.dialects.kubevela.reader import Component, Reader
    from krmfn.fields import Fields

DEPLOY, SUSPEND = "canary-deploy", "suspend"
KEYS = ("weight", "components", "policies", "rolloutType", "trafficRoutingType")
# What all steps of a release have to agree upon.
SAME = ("components", "policies", "rolloutType", "trafficRoutingType")
# Steps of a workflow that tell somebody something, or wait.
ASIDE = ("notification", "webhook", "request", "print-message-in-status")
UNITS = {"h": 3600, "m": 60, "s": 1}


def deploying(reader: "Reader") -> "list[Fields]":
    """Return the steps of the workflow that deploy a share."""
    return [place for place in _entries(reader) if place.at("type").value == DEPLOY]


def components(reader: "Reader", named: "Fields") -> "list[Component]":
    """Return the components that a step names; all of them, where it names none."""
    wanted = named.value if isinstance(named.value, list) else []
    known = {component.name: component for component in reader.components}
    for name in wanted:
        if str(name) not in known:
            named.problem(f"names {name!r}, and the components are {', '.join(known)}")
    return [known[str(name)] for name in wanted or known if str(name) in known]


def steps(reader: "Reader", *, routed: bool) -> tuple[Step, ...]:
    """Read the workflow; what it does between two steps is the gate between them.

    A step that is not suspended is left as soon as its pods are ready, but nobody goes on from a last share.
    """
    found: list[Step] = []
    first: Fields | None = None
    mode = reader.spec.mapping("workflow").mapping("mode")
    if mode.text("steps") == "DAG":
        mode.at("steps").problem("runs the steps of the workflow at once; a release takes one after the other")
    for place in _entries(reader):
        kind = place.text("type", required=True)
        if kind == DEPLOY:
            first = first or place
            found.append(_step(place, first, routed=routed))
        elif kind == SUSPEND and found:
            found[-1] = found[-1].replace(gate=_longer(found[-1].gate, place.mapping("properties").at("duration")))
        elif kind in (*ASIDE, SUSPEND):
            reader.remark(place, f"{kind} is for a workflow that runs, and means nothing here")
        else:
            known = ", ".join((DEPLOY, SUSPEND, *ASIDE))
            place.at("type").problem(f"{kind} is not rendered in a release; that can be: {known}")
    if found and found[-1].pods.number < ALL and not found[-1].gate.seconds:
        found[-1] = found[-1].replace(gate=Gate())
    return tuple(found)


def _entries(reader: "Reader") -> "Iterator[Fields]":
    return (place for place in reader.spec.mapping("workflow").sequence("steps") if place)


def _step(place: "Fields", first: "Fields", *, routed: bool) -> Step:
    if place.has("if"):
        place.at("if").problem("depends on what the steps before it came to; a release has all of its steps")
    properties = place.mapping("properties", required=True)
    only(properties, KEYS)
    for key in SAME:
        given = first.mapping("properties").at(key).value
        if properties.at(key).value != given:
            properties.at(key).problem(
                f"is {properties.at(key).value!r}, and {given!r} in the first step; say the same"
            )
    weight = properties.whole("weight", 1, ALL)
    if properties and not properties.has("weight"):
        properties.at("weight").problem("is required")
    return Step(Amount(weight or 0, percent=True), Traffic(weight) if routed else Traffic(), Gate(0), place.path)


def _longer(gate: Gate, place: "Fields") -> Gate:
    """Return the gate behind which a workflow is suspended as well: until somebody resumes it, or for a duration."""
    return Gate() if place.value is None or gate.seconds is None else Gate(gate.seconds + _seconds(place))


def _seconds(place: "Fields") -> int:
    """Read a duration as Go writes it."""
    total, digits, text = 0, "", str(place.value)
    for letter in text:
        if letter.isdecimal():
            digits += letter
        elif letter in UNITS and digits:
            total, digits = total + int(digits) * UNITS[letter], ""
        else:
            digits = text
            break
    if digits or not text:
        place.problem(f"{text!r} is no duration; write whole numbers with h, m and s, such as 90s or 1h30m")
    return total
