"""The steps of a Rollout: how many pods, which requests, and what has to happen before the next."""

from itertools import pairwise

from krmfn.dialects.kruise.reader import ALPHA, STYLE
from krmfn.fields import Fields
from krmfn.plan import EXACT, PREFIX, REGEX, Amount, Condition, Gate, Match, Modifier, Step, Traffic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from krmfn.dialects.kruise.reader import Reader

ALL, LIMIT = 100, 50
_TYPES = (EXACT, REGEX)


def step(place: Fields, reader: "Reader", *, routed: bool) -> Step:
    """Read one step; without a route its weight says nothing but a number of pods."""
    weight = _weight(place, reader)
    matches = tuple(match(entry) for entry in place.sequence("matches"))
    pods = _pods(place, weight, short=reader.shares)
    pause = place.mapping("pause").whole("duration")
    if matches and weight is not None:
        reader.remark(place, "has a weight beside matches; the matches win, and the rest goes to the stable side")
        weight = None
    if matches and not routed:
        place.at("matches").problem("has no route that could look at requests; add trafficRoutings")
    if routed and (matches or weight is not None) and (reader.one_object or reader.shares):
        _check_limit(place, pods, reader)
    changes = modifier(place.mapping("requestHeaderModifier"))
    return Step(pods, Traffic(weight, matches, changes) if routed else Traffic(), Gate(pause), place.path)


def _check_limit(place: Fields, pods: Amount, reader: "Reader") -> None:
    """Hold Kruise's limit for pods that leave the stable side while it is still sent requests."""
    if pods.percent and pods.number > LIMIT:
        message = f"is {pods}, and with a traffic rule at most {LIMIT}% may leave the stable side in partition style"
        how = f"annotation {STYLE}: canary" if reader.version == ALPHA else "enableExtraWorkloadForCanary: true"
        own = f"have the canary in a workload of its own ({how})"
        instead = f"write no more than that, or {own if reader.shares else 'leave the traffic rule of this step out'}"
        Fields(None, place.ref, f"{place.path}.replicas", place.problems).problem(f"{message}; {instead}")


def _weight(place: Fields, reader: "Reader") -> int | None:
    if reader.version == ALPHA:
        return place.whole("weight", 0 if place.has("replicas") else 1, ALL)
    field = place.at("traffic")
    if field.value is None:
        return None
    least = 0 if reader.blue_green else 1
    found = _percent(field)
    if found is not None and not least <= found <= ALL:
        field.problem(f"{field.value} is out of range: {least}% to 100%")
    return found


def _pods(place: Fields, weight: int | None, *, short: bool) -> Amount:
    field = place.at("replicas")
    if field.value is None:
        if not place.has("weight"):
            field.problem("is required: how many pods run the new version at this step")
        return Amount(weight or 0, percent=True, short=short)
    if isinstance(field.value, str):
        percent = _percent(field)
        if percent is not None and not 0 < percent <= ALL:
            field.problem(f"{field.value} is out of range: 1% to 100%")
        return Amount(percent or 0, percent=True, short=short)
    return Amount(place.whole("replicas", least=1) or 0)


def _percent(field: Fields) -> int | None:
    """Read ``N%`` with a whole N, as the webhook does: no ``33.3%``, no ``50``."""
    number, sign, rest = field.value.partition("%") if isinstance(field.value, str) else ("", "", "")
    digits = number[1:] if number[:1] in ("+", "-") else number
    if not sign or rest or not digits.isdecimal() or not digits.isascii():
        message = f'{field.value!r} is no percentage; write a whole number and a percent sign, such as "33%"'
        counts = field.path.endswith("replicas")
        field.problem(f"{message}, or a number of pods without quotes" if counts else message)
        return None
    return int(number)


def match(place: Fields) -> Match:
    """Read what a request has to show."""
    conditions = [*_conditions(place, "headers", "header"), *_conditions(place, "queryParams", "query")]
    path = place.mapping("path")
    found = (path.text("type", PREFIX, choices=(EXACT, PREFIX, REGEX)), path.text("value", "/")) if path else None
    if not conditions and not found:
        place.problem("matches every request; name a header, a query parameter or a path")
    return Match(tuple(conditions), found)


def _conditions(place: Fields, key: str, part: str) -> "Iterator[Condition]":
    for entry in place.sequence(key):
        name = entry.text("name", required=not entry.has("key")) or entry.text("key")
        kind = entry.text("type", EXACT, choices=_TYPES)
        value = entry.text("value", required=True)
        if name == "canary-by-cookie":
            yield Condition("cookie", value, "always")
        else:
            yield Condition(part, name, value, kind)


def modifier(place: Fields) -> Modifier | None:
    """Read what changes in the headers of requests to the canary."""
    if not place:
        return None
    pairs = {
        key: tuple((e.text("name", required=True), e.text("value")) for e in place.sequence(key))
        for key in ("set", "add")
    }
    removed = tuple(e.value for e in place.sequence("remove") if isinstance(e.value, str))
    return Modifier(pairs["set"], pairs["add"], removed)


def check_order(reader: "Reader", steps: tuple[Step, ...]) -> None:
    """Hold the order that the webhooks ask for: replicas do not decrease, and in v1alpha1 weights do not either."""
    for number, (before, after) in enumerate(pairwise(steps), 1):
        comparable = before.pods.percent == after.pods.percent and 0 < after.pods.number < before.pods.number
        if comparable and not (before.pods.percent and before.pods.number > ALL):
            place = Fields(None, reader.top.ref, f"{after.field}.replicas", reader.top.problems)
            place.problem(f"is {after.pods}, less than the {before.pods} of step {number}; replicas may not decrease")
        weights = (before.traffic.weight, after.traffic.weight)
        if reader.version == ALPHA and None not in weights and weights[1] < weights[0]:  # type: ignore[operator]
            place = Fields(None, reader.top.ref, f"{after.field}.weight", reader.top.problems)
            place.problem(f"is {weights[1]}, less than the {weights[0]} of step {number}; {ALPHA} does not allow that")
