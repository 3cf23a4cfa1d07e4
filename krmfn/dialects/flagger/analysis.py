"""The analysis: which requests the canary gets, one step after the other, and what has to be good before the next.

Canary pods are always as many as stable ones. The weights are those at which the controller would rest; what it does in
the same state for several intervals is one step.
"""

import re

from krmfn.dialects.flagger.affinity import sticky
from krmfn.dialects.flagger.matching import match
from krmfn.dialects.flagger.reader import ALL
from krmfn.kinds import REVISIONS
from krmfn.plan import Amount, Gate, Mirror, Step, Traffic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from krmfn.dialects.flagger.reader import Reader
    from krmfn.fields import Fields
    from krmfn.plan import Match

KINDS = ("iterations", "stepWeight", "stepWeights")
EVERYONE = Amount(ALL, percent=True)
# The least time between two looks, and what it is where nobody says.
LEAST, USUAL = 10, 60
WITHOUT_A_ROUTE = "kubernetes"
_DURATION = re.compile(r"([0-9]+)(m|s)")


def steps(reader: "Reader") -> tuple[Step, ...]:
    """Return the steps of the strategy: canary, A/B, blue-green, or none of them where nothing is analysed."""
    place = reader.analysis
    if reader.spec.flag("skipAnalysis"):
        return (Step(EVERYONE, Traffic(weight=0), Gate(0), reader.spec.at("skipAnalysis").path),)
    if not place:
        place.problem("is required: it says how the canary gets its requests; or set skipAnalysis")
        return ()
    kinds = [kind for kind in KINDS if place.has(kind)]
    if len(kinds) != 1:
        place.problem(f"needs one of {', '.join(KINDS)}, and has {' and '.join(kinds) or 'none'}")
        return ()
    kind = kinds[0]
    matches = tuple(match(entry, cookies=reader.provider == "nginx") for entry in place.sequence("match"))
    _check_route(reader, kind)
    if kind == "iterations":
        if place.has("sessionAffinity"):
            place.at("sessionAffinity").problem(
                "stands beside iterations, where no weight divides visitors; leave it out"
            )
        return tuple(_looks(reader, matches))
    if matches:
        message = f"stands beside {kind}, which would divide only the requests that match; use iterations"
        place.at("match").problem(message)
    return tuple(_shifts(reader, kind))


def returns(reader: "Reader", steps: tuple[Step, ...]) -> tuple[int, ...]:
    """Return the canary's weights on the way back, from that of the last step: less and less, the last is not 0."""
    place, last = reader.analysis, steps[-1].traffic if steps else Traffic()
    by = place.whole("stepWeightPromotion", 0, ALL)
    if by and not last.weight:
        message = "is not used: the last step divides no requests by weight, so there is nothing to take back in shifts"
        reader.remark(place.at("stepWeightPromotion"), message)
    if by and reader.style == REVISIONS:
        reader.remark(place.at("stepWeightPromotion"), "is not used: from promote on there is only the new revision")
        return ()
    return tuple(range((last.weight or 0) - by, 0, -by)) if by else ()


def ready(reader: "Reader") -> tuple[int, int]:
    """Return the shares of stable and of canary pods that have to be available, in percent."""
    shares = (reader.analysis.whole(f"{side}ReadyThreshold", 0, ALL) for side in ("primary", "canary"))
    stable, canary = (ALL if share is None else share for share in shares)
    return stable, canary


def _check_route(reader: "Reader", kind: str) -> None:
    """Refuse what a plain Service cannot do; Flagger would look at pods that nobody calls, and say nothing."""
    for key in ("match", "mirror", *((kind,) if kind != "iterations" else ())):
        if reader.provider == WITHOUT_A_ROUTE and reader.analysis.at(key).value:
            message = f"has no route that could do it: with the provider {WITHOUT_A_ROUTE} use iterations alone"
            reader.analysis.at(key).problem(message)


def _before(reader: "Reader") -> "Iterator[Step]":
    """Yield the step at which somebody looks at the canary, through its Service, before it gets any request."""
    hooks = list(_hooks(reader.analysis, "pre-rollout"))
    if hooks:
        names = ", ".join(hook.text("name", required=True) for hook in hooks)
        gate = Gate(None, f"webhook{'s' if hooks[1:] else ''} {names}")
        yield Step(EVERYONE, Traffic(weight=0), gate, hooks[0].path)


def _looks(reader: "Reader", matches: "tuple[Match, ...]") -> "Iterator[Step]":
    """Yield the steps of A/B and of blue-green: the canary is looked at so many times."""
    place = reader.analysis
    where, count = place.at("iterations"), place.whole("iterations", 1) or 1
    gate = _gate(reader, count)
    if matches:
        if place.flag("mirror"):
            place.at("mirror").problem("stands beside match: either some requests go to the canary, or copies of all")
        yield from _before(reader)
        yield Step(EVERYONE, Traffic(None, matches), _confirmed(reader, gate), where.path)
        return
    copies, last = _mirror(reader), reader.provider == WITHOUT_A_ROUTE
    yield from _before(reader)
    yield Step(EVERYONE, Traffic(0, mirror=copies), _confirmed(reader, gate) if last else gate, where.path)
    if not last:
        yield Step(EVERYONE, Traffic(ALL), _confirmed(reader, _gate(reader, 1)), where.path)


def _shifts(reader: "Reader", kind: str) -> "Iterator[Step]":
    """Yield the steps of a canary: more and more of the requests."""
    place, found, kept = reader.analysis, list(_weights(reader)), sticky(reader)
    yield from _before(reader)
    if copies := _mirror(reader):
        yield Step(EVERYONE, Traffic(0, mirror=copies), _gate(reader, 1), place.at("mirror").path)
    for number, weight in enumerate(found):
        where = place.at(kind)
        field = where.at(number).path if kind == "stepWeights" else where.path
        gate = _gate(reader, 1)
        yield Step(
            EVERYONE, Traffic(weight, sticky=kept), _confirmed(reader, gate) if weight == found[-1] else gate, field
        )


def _weights(reader: "Reader") -> "Iterator[int]":
    """Yield the canary's weights. The last is the first that is not below the most, which it may well exceed."""
    place, listed = reader.analysis, reader.analysis.at("stepWeights")
    if listed:
        if place.has("maxWeight"):
            reader.remark(place.at("maxWeight"), "is not used beside stepWeights, whose last one is the most")
        yield from _listed(reader)
        return
    by, most = place.whole("stepWeight", 1) or ALL, place.whole("maxWeight", 0, ALL) or ALL
    weight = 0
    while weight < most:
        weight = min(weight + by, ALL)
        yield weight
    if weight > most:
        message = f"is no cap: steps of {by} go to {weight}, the first that is not below {most}"
        reader.remark(place.at("maxWeight"), message)


def _listed(reader: "Reader") -> "Iterator[int]":
    listed, before = reader.analysis.at("stepWeights"), 0
    count = len(listed.value) if isinstance(listed.value, list) else 0
    if not count:
        listed.problem("has to be a list of weights, with one at the least")
    for number in range(count):
        weight = min(listed.whole(number, 1) or before + 1, ALL)
        if weight <= before:
            message = f"is {weight} after {before}; the weights have to ascend, else the controller never gets past it"
            listed.at(number).problem(message)
        before = weight
        yield weight


def _mirror(reader: "Reader") -> Mirror | None:
    share = reader.analysis.whole("mirrorWeight", 0, ALL)
    return Mirror(share or ALL) if reader.analysis.flag("mirror") else None


def _gate(reader: "Reader", looks: int) -> Gate:
    """Return what has to be found good for so many intervals."""
    place = reader.analysis
    metrics = [metric.text("name", required=True) for metric in place.sequence("metrics")]
    hooks = [hook.text("name", required=True) for hook in _hooks(place, "", "rollout", "confirm-traffic-increase")]
    seconds = looks * max(LEAST, _seconds(place))
    said = [f"metric{'s' if metrics[1:] else ''} {', '.join(metrics)}"] if metrics else []
    said += [f"webhook{'s' if hooks[1:] else ''} {', '.join(hooks)}"] if hooks else []
    return Gate(seconds, " and ".join(said))


def _confirmed(reader: "Reader", gate: Gate) -> Gate:
    """Return the last gate, with those who have to confirm the promotion."""
    names = [hook.text("name") for hook in _hooks(reader.analysis, "confirm-promotion")]
    said = [gate.check, f"{', '.join(names)} confirms" if names else ""]
    return gate.replace(check="; ".join(filter(None, said)))


def _hooks(place: "Fields", *types: str) -> "Iterator[Fields]":
    for hook in place.sequence("webhooks"):
        if hook.text("type") in types:
            yield hook


def _seconds(place: "Fields") -> int:
    text = place.text("interval")
    found = _DURATION.match(text)
    if text and not found:
        place.at("interval").problem(f"{text!r} is no duration; write a whole number and m or s, such as 30s")
    return int(found.group(1)) * (60 if found.group(2) == "m" else 1) if found else USUAL
