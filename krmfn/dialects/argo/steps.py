"""The steps of a canary: instructions, folded into the places where the controller would rest.

It rests where it pauses or looks at an analysis, with the last weight, scale and header routes that were set by then.
Steps behind the last pause are one more such place, which is left as soon as its pods are ready.
"""

from krmfn.dialects.argo import gates
from krmfn.dialects.argo.managed import ROUTED, Managed
from krmfn.dialects.argo.ratio import Ratio, Share
from krmfn.dialects.argo.reader import ALL
from krmfn.plan import Amount, Gate, Match, Step, Traffic

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
RESTS = ("pause", "analysis", "plugin")
# Of these a step has one. The others may stand beside it: they hold from then on, and the step ends with its pause.
ALONE = ("setWeight", "pause", "analysis", "experiment", "plugin")
EXPERIMENT = (
    "cannot be rendered: its pods run for some time only, beside both sides; leave the step out, and put a pause where "
    "somebody shall look at them"
)
STEPLESS = (
    "is required: without steps this is a plain rolling update; write some, or leave the Rollout out and let a "
    "Deployment do it"
)
MISSING = "Step must have one of the following set: experiment, setWeight, setCanaryScale, plugin or pause"


class Fold:
    """What holds at the step that is read: the weight, the scale and the header routes that were set last."""

    def __init__(self, reader: "Reader", matches: tuple[Match, ...]) -> None:
        """Begin before the first step; ``matches`` are those that a router's own annotations ask for all along."""
        self.reader, self.matches = reader, matches
        self.weight = 0
        self.scale: Amount | None = None
        self.managed = Managed(reader)
        self.least = reader.canary.whole("minPodsPerReplicaSet", 1) or 0
        self.dynamic = reader.canary.flag("dynamicStableScale")
        background = reader.canary.mapping("analysis")
        self.background = gates.check(background, reader), background.whole("startingStep") or 0

    def steps(self) -> tuple[Step, ...]:
        """Return the places to rest. A canary without steps grows to its full size and gets no requests until then."""
        found: list[Step] = []
        places, kind = list(self.reader.canary.sequence("steps")), ""
        for number, place in enumerate(places):
            kind = self._read(place)
            if kind in RESTS:
                found.append(self._rest(place, self._gate(place, kind, number)))
        if not places and self.reader.canary and not self.reader.routing:
            self.reader.canary.at("steps").problem(STEPLESS)
        if not places:
            self.scale = Amount(ALL, percent=True)
        if kind not in RESTS:
            found.append(self._rest(places[-1] if places else self.reader.canary.at("steps"), Gate(0)))
        return tuple(found)

    def _read(self, place: "Fields") -> str:
        """Take one step in, and return what ends it."""
        kinds = [kind for kind in TYPES if place.has(kind)]
        if not kinds:
            place.problem(MISSING)
            return ""
        alone = [kind for kind in kinds if kind in ALONE]
        if len(alone) > 1:
            place.problem(f"{MISSING}; this is {', '.join(alone)} at once, so write a step for each")
        for kind in kinds:
            self._take(place, kind)
        return next((kind for kind in kinds if kind in RESTS), kinds[0])

    def _take(self, place: "Fields", kind: str) -> None:
        """Take in what a step sets."""
        if not self.reader.routing and kind == "setCanaryScale":
            place.at(kind).problem("SetCanaryScale requires TrafficRouting to be set")
        if kind == "experiment":
            place.at(kind).problem(EXPERIMENT)
        elif kind in ROUTED:
            self.managed.take(place.mapping(kind), mirror=kind == "setMirrorRoute")
        elif kind not in RESTS:
            {"setWeight": self._weigh, "setCanaryScale": self._scale}[kind](place)

    def _weigh(self, place: "Fields") -> None:
        most = self.reader.most
        found = place.whole("setWeight", -(2**31))
        if found is not None and not 0 <= found <= most:
            place.at("setWeight").problem(f"SetWeight needs to be between 0 and {most}")
            return
        self.weight = self.reader.percent(found, place.at("setWeight")) if found is not None else self.weight

    def _scale(self, place: "Fields") -> None:
        """Read its three forms, of which the first that is written holds; without any the pods follow the weight."""
        scale = place.mapping("setCanaryScale")
        replicas, weight = scale.whole("replicas"), scale.whole("weight")
        follows, self.scale = scale.flag("matchTrafficWeight"), None
        if follows:
            return
        if replicas is not None:
            self.scale = Amount(replicas, least=self.least if self.dynamic else 0, beyond=True)
        elif weight is not None:
            self.scale = self._share(weight).replace(beyond=True)

    def _gate(self, place: "Fields", kind: str, number: int) -> Gate:
        """Return what is waited for at a step: what the step says, and what is looked at all along."""
        background, start = self.background
        along = background if number >= start else ""
        if kind == "pause":
            return gates.checked(gates.pause(place.mapping("pause")), along)
        if kind == "plugin":
            name = place.mapping("plugin").text("name", required=True)
            return gates.checked(Gate(None, f"the plugin {name} would be done"), along)
        return gates.checked(Gate(None, gates.check(place.mapping("analysis"), self.reader)), along)

    def _rest(self, place: "Fields", gate: Gate) -> Step:
        if not self.reader.routing:
            pods = Ratio(self.weight, percent=True, surge=self.reader.surge)
            return Step(pods, Traffic(), gate, place.path, pods.replace(stable=True))
        return self._routed(place, gate)

    def _routed(self, place: "Fields", gate: Gate) -> Step:
        pods = self.scale or Amount(self.weight, percent=True, least=self.least)
        matches = (*self.managed.matches, *(self.matches if pods.number else ()))
        weight = None if matches and not self.weight else self.weight
        traffic = Traffic(weight, matches, mirror=self.managed.mirror(place))
        return Step(pods, traffic, gate, place.path, self._stable())

    def _stable(self) -> Amount | None:
        """Return what a stable side keeps that gives up pods: enough for its requests, all where a count was asked."""
        if not self.dynamic:
            return None
        most, scale = self.reader.most, self.scale
        weight = self.weight * most // ALL
        scaled = weight if scale is None else 0
        if scale and scale.percent:
            scaled = scale.number if isinstance(scale, Share) else scale.number * most // ALL
        return self._share(max(most - scaled, most - weight, 0))

    def _share(self, weight: int) -> Amount:
        """Return the pods for a weight, which need be no whole percentage as requests do."""
        most = self.reader.most
        if weight * ALL % most:
            return Share(weight, percent=True, least=self.least, whole=most)
        return Amount(weight * ALL // most, percent=True, least=self.least)
