"""The steps of a canary: instructions, folded into the places where the controller would rest.

It rests where it pauses or looks at an analysis, with the last weight, scale and header routes that were set by then.
Steps behind the last pause are one more such place, which is left as soon as its pods are ready.
"""

import re

from krmfn.dialects.argo.ratio import Ratio
from krmfn.dialects.argo.reader import ALL
from krmfn.plan import EXACT, REGEX, Amount, Condition, Gate, Match, Step, Traffic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from krmfn.dialects.argo.reader import Reader
    from krmfn.fields import Fields

TYPES = (
    "setWeight",
    "pause",
    "setCanaryScale",
    "setHeaderRoute",
    "setMirrorRoute",
    "analysis",
    "experiment",
    "plugin",
)
RESTS = ("pause", "analysis")
MISSING = "Step must have one of the following set: experiment, setWeight, setCanaryScale, plugin or pause"
_DURATION = re.compile(r"(?:[0-9]+(?:\.[0-9]+)?(?:ms|h|m|s))+")
_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|h|m|s)")
_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600}


class Fold:
    """What holds at the step that is read: the weight, the scale and the header routes that were set last."""

    def __init__(self, reader: "Reader", matches: tuple[Match, ...]) -> None:
        """Begin before the first step; ``matches`` are those that a router's own annotations ask for all along."""
        self.reader, self.matches = reader, matches
        self.weight = 0
        self.scale: Amount | None = None
        self.headers: dict[str, tuple[Match, ...]] = {}
        self.least = reader.canary.whole("minPodsPerReplicaSet", 1) or 0
        self.dynamic = reader.canary.flag("dynamicStableScale")
        self.managed = [route.text("name", required=True) for route in reader.routing.sequence("managedRoutes")]

    def steps(self) -> tuple[Step, ...]:
        """Return the places to rest. A canary without steps grows to its full size and gets no requests until then."""
        found: list[Step] = []
        places, kind = list(self.reader.canary.sequence("steps")), ""
        for place in places:
            kind = self._read(place)
            if kind in RESTS:
                found.append(self._rest(place, self._gate(place, kind)))
        if not places and not self.reader.routing:
            self.reader.canary.at("steps").problem("is required: without steps this is a plain rolling update")
        if not places:
            self.scale = Amount(ALL, percent=True)
        if kind not in RESTS:
            found.append(self._rest(places[-1] if places else self.reader.canary.at("steps"), Gate(0)))
        return tuple(found)

    def _read(self, place: "Fields") -> str:
        """Take one step in, and return what it is."""
        kinds = [kind for kind in TYPES if place.has(kind)]
        if not kinds:
            place.problem(MISSING)
            return ""
        if len(kinds) > 1:
            place.problem(f"is {', '.join(kinds)} at once, of which Argo obeys the first; write a step for each")
        if not self.reader.routing and kinds[0] in ("setCanaryScale", "setHeaderRoute", "setMirrorRoute"):
            place.at(kinds[0]).problem(f"{kinds[0][0].upper()}{kinds[0][1:]} requires TrafficRouting to be set")
        if kinds[0] in ("setMirrorRoute", "experiment", "plugin"):
            place.at(kinds[0]).problem("is not rendered; what can be: setWeight, pause, setCanaryScale, setHeaderRoute")
        elif kinds[0] not in RESTS:
            {"setWeight": self._weigh, "setCanaryScale": self._scale, "setHeaderRoute": self._header}[kinds[0]](place)
        return kinds[0]

    def _weigh(self, place: "Fields") -> None:
        most = self.reader.most
        found = place.whole("setWeight", 0, most)
        self.weight = self.reader.percent(found, place.at("setWeight")) if found is not None else self.weight

    def _scale(self, place: "Fields") -> None:
        """Read its three forms; where several are written the first of them holds, as it does for the controller."""
        scale = place.mapping("setCanaryScale")
        replicas, weight = scale.whole("replicas"), scale.whole("weight")
        if scale.flag("matchTrafficWeight"):
            self.scale = None
        elif replicas is not None:
            self.scale = Amount(replicas, least=self.least if self.dynamic else 0, beyond=True)
        elif weight is not None:
            share = self.reader.percent(weight, scale.at("weight"))
            self.scale = Amount(share, percent=True, least=self.least, beyond=True)

    def _header(self, place: "Fields") -> None:
        route = place.mapping("setHeaderRoute")
        name = route.text("name", required=True)
        if name and name not in self.managed:
            message = "Steps define a route that does not exist in spec.strategy.canary.trafficRouting.managedRoutes"
            route.at("name").problem(message)
        conditions = [_condition(entry) for entry in route.sequence("match")]
        self.headers.pop(name, None)
        if not conditions:
            return
        # Istio takes any of them, the plugin for the Gateway API all of them.
        any_of = self.reader.routing.has("istio")
        if not any_of and not self.reader.routing.has("plugins"):
            route.problem("SetHeaderRoute requires TrafficRouting, supports Istio and ALB and Apisix")
        if any_of and self.reader.routing.has("plugins") and conditions[1:]:
            route.at("match").problem("means any of them for Istio and all of them for the Gateway API; write one")
        self.headers[name] = tuple(Match((c,)) for c in conditions) if any_of else (Match(tuple(conditions)),)

    def _gate(self, place: "Fields", kind: str) -> Gate:
        if kind == "pause":
            return Gate(_seconds(place.mapping("pause").at("duration")))
        names = [t.text("templateName") for t in place.mapping("analysis").sequence("templates")]
        return Gate(None, f"analysis {', '.join(filter(None, names)) or 'of the step'} is good")

    def _rest(self, place: "Fields", gate: Gate) -> Step:
        if not self.reader.routing:
            pods = Ratio(self.weight, percent=True, surge=self.reader.surge)
            return Step(pods, Traffic(), gate, place.path, pods.replace(stable=True))
        return self._routed(place, gate)

    def _routed(self, place: "Fields", gate: Gate) -> Step:
        pods = self.scale or Amount(self.weight, percent=True, least=self.least)
        asked = tuple(match for matches in self.headers.values() for match in matches)
        matches = (*asked, *(self.matches if pods.number else ()))
        weight = None if matches and not self.weight else self.weight
        return Step(pods, Traffic(weight, matches), gate, place.path, self._stable())

    def _stable(self) -> Amount | None:
        """Return what a stable side keeps that gives up pods: enough for its requests, all where a count was asked."""
        if not self.dynamic:
            return None
        scaled = self.weight if self.scale is None else self.scale.number if self.scale.percent else 0
        return Amount(max(ALL - scaled, ALL - self.weight, 0), percent=True, least=self.least)


def _condition(place: "Fields") -> Condition:
    name, value = place.text("headerName", required=True), place.mapping("headerValue")
    found = [(kind, value.text(kind)) for kind in ("exact", "prefix", "regex") if value.has(kind)]
    if len(found) != 1:
        value.problem("StringMatch match value must have exactly one of the following: exact, regex, prefix")
        return Condition("header", name, "")
    kind, text = found[0]
    if kind == "prefix":
        text = re.sub(r"([\\.+*?()|\[\]{}^$])", r"\\\1", text) + ".*"
    return Condition("header", name, text, EXACT if kind == "exact" else REGEX)


def _seconds(place: "Fields") -> int | None:
    """Read a number of seconds, or a duration as Go writes it (``30s``, ``1h30m``)."""
    value = place.value
    if value is None:
        return None
    text = f"{value}s" if isinstance(value, int) or str(value).isdigit() else str(value)
    if isinstance(value, bool) or not _DURATION.fullmatch(text):
        place.problem(f"{value!r} is no duration: Duration needs to be greater than 0, such as 30, 90s or 1h30m")
        return 0
    return round(sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(text)))
