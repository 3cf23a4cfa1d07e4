"""What the author of a rollout asked for, in nobody's dialect: steps, gates, names, routes, positions.

A dialect makes a plan, ``stage.divide`` works one position of it out. Everything here is frozen.
"""

from krmfn.errors import KrmfnError
from krmfn.frozen import Value
from krmfn.krm.item import Ref
from krmfn.results import Result
from krmfn.traffic import (
    EXACT,
    PREFIX,
    REGEX,
    Condition,
    Match,
    Mirror,
    Modifier,
    Pair,
    Route,
    Sticky,
    Subsets,
    Traffic,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from krmfn.krm.item import Manifest

PROMOTE, FINALISE, COMPLETE = "promote", "finalise", "complete"
SCALE, SHIFT, DRAIN = "scale", "shift", "drain"
_ALL = 100


class Amount(Value):
    """A number of pods: a count, or a percentage of all of them, rounded up.

    ``least`` is what any number but 0 is lifted to; ``beyond`` says that it may be more than all of them, ``short``
    that a percentage below 100 is never all of several.
    """

    number: int
    percent: bool = False
    least: int = 0
    beyond: bool = False
    short: bool = False

    def of(self, total: int) -> int:
        """Return the number of pods out of ``total``."""
        found = -(-self.number * total // 100) if self.percent else self.number
        lifted = max(found, min(self.least, total)) if found else 0
        most = total - 1 if self.short and self.percent and self.number < _ALL and total > 1 else total
        return lifted if self.beyond else min(most, lifted)

    def __str__(self) -> str:
        """Write it as people do: ``3`` or ``40%``."""
        return f"{self.number}%" if self.percent else str(self.number)


class Gate(Value):
    """What has to happen before the next step: a person decides (None), or so many seconds pass.

    ``check`` is what has to be found good by then, in a few words; nobody here looks.
    """

    seconds: int | None = None
    check: str = ""


class Step(Value):
    """One resting place; ``field`` is where the author wrote it.

    ``stable`` is how many pods the stable side keeps; None is all of them, less the canary's where the plan shares.
    """

    pods: Amount
    traffic: Traffic
    gate: Gate
    field: str
    stable: Amount | None = None

    def at(self, weight: int) -> "Step":
        """Return this step with another weight."""
        return self.replace(traffic=self.traffic.replace(weight=weight))

    def __str__(self) -> str:
        """Say it in a few words: ``40% of the pods, 40% of the requests``."""
        pods = f"{self.pods} of the pods" if self.pods.percent else f"{self.pods} pods"
        return f"{pods}, {self.traffic}" if self.traffic else pods


class Plan(Value):
    """A whole rollout.

    ``style`` is twin (two objects) or partition (one object, moved in place); ``shares`` says that the stable object
    gives up pods as the canary gets them; ``paused`` is where the author wrote that nothing shall move, else "".
    ``makes`` are the objects that belong to the rollout as its controller would have made them: they stand beside it at
    every position, in this form where no stage says otherwise. ``reads`` are others that were for its controller
    alone. ``versioned`` says that each version has its own content
    of the ConfigMaps and Secrets that it reads, but for those that are ``unversioned`` (kind, name).
    ``apart`` says that each Service reaches its own side also at steps without a traffic rule; ``avoids`` that the
    canary's pods keep off the nodes of stable ones: always (0), or with that weight (None: they do not).
    ``returns`` are the canary's weights on the way back from ``promote``, where that takes more than one shift.
    ``stable_labels`` and ``stable_annotations`` are on the stable side's pods only, as ``pod_labels`` and
    ``pod_annotations`` are on the canary's. ``ready`` are the shares of stable and of canary pods, in percent, that
    have to be available before anything else happens. ``labelled`` is where an author may label both sides, in words.
    """

    rollout: Ref
    workload: Ref
    workload_field: str
    style: str
    steps: tuple[Step, ...]
    returns: tuple[int, ...] = ()
    shares: bool = False
    services: tuple[Pair, ...] = ()
    routes: tuple[Route, ...] = ()
    pod_labels: tuple[tuple[str, str], ...] = ()
    pod_annotations: tuple[tuple[str, str], ...] = ()
    remarks: tuple[Result, ...] = ()
    paused: str = ""
    disabled: bool = False
    makes: "tuple[Manifest, ...]" = ()
    reads: tuple[Ref, ...] = ()
    versioned: bool = False
    unversioned: "tuple[tuple[str, str], ...]" = ()
    apart: bool = False
    avoids: int | None = None
    stable_labels: tuple[tuple[str, str], ...] = ()
    stable_annotations: tuple[tuple[str, str], ...] = ()
    ready: tuple[int, int] = (100, 100)
    labelled: str = ""

    @property
    def rests(self) -> tuple[str, ...]:
        """The resting stages, in order: 0, 1 … N, promote, promote+1 … for each return, finalise, complete."""
        ahead, back = range(len(self.steps) + 1), range(1, len(self.returns) + 1)
        return (*map(str, ahead), PROMOTE, *(f"{PROMOTE}+{k}" for k in back), FINALISE, COMPLETE)

    @property
    def summary(self) -> tuple[str, ...]:
        """Return each step in a few words."""
        return tuple(str(step) for step in self.steps)

    @property
    def subsets(self) -> bool:
        """Tell whether both sides share their Services, and the routes tell them apart by themselves."""
        return bool(self.services) and all(pair.stable == pair.canary for pair in self.services)

    @property
    def previews(self) -> bool:
        """Tell whether the author has a Service for the canary, which leads to the stable side while there is none."""
        return any(pair.given for pair in self.services)

    @property
    def divides(self) -> bool:
        """Tell whether any step has a traffic rule."""
        return any(step.traffic for step in self.steps)

    def step_at(self, rest: str) -> Step | None:
        """Return the step that a resting stage stands at: the last one from promote on, none at 0."""
        if done(rest):
            back = rest.partition("+")[2]
            return self.steps[-1].at(self.returns[int(back) - 1]) if back else self.steps[-1]
        return self.steps[int(rest) - 1] if rest != "0" else None


def done(rest: str) -> bool:
    """Tell whether either side is the new version by then: from promote on."""
    return not rest.isdigit()


class Position(Value):
    """A place on the timeline: a resting stage (``start`` is ``end``), or half-way on the edge from one to another."""

    start: str
    end: str
    half: str = ""

    @property
    def rests(self) -> bool:
        """Tell whether this is a resting stage."""
        return not self.half

    def __str__(self) -> str:
        """Write it as people do: ``2``, ``1>2/scale``."""
        return f"{self.start}>{self.end}/{self.half}" if self.half else self.end


def locate(text: str, rests: "Sequence[str]") -> Position:
    """Read a position: ``0..N``, ``promote``, ``finalise``, ``complete``, ``k/scale``, ``a>b/scale``, ``k>0/drain``.

    Raises KrmfnError listing the valid positions when the plan has no such position.
    """
    text = text.strip()
    if text in rests:
        return Position(text, text)
    edge, _, half = text.partition("/")
    start, arrow, end = edge.rpartition(">")
    if not arrow and end in rests[1:] and end.isdigit():
        start = str(int(end) - 1)
    if {start, end} <= set(rests) and start != end and (half in (SCALE, SHIFT) or (half == DRAIN and end == "0")):
        return Position(start, end, half)
    raise KrmfnError(_unknown(text, rests))


def _unknown(text: str, rests: "Sequence[str]") -> str:
    import difflib

    last = max(filter(str.isdigit, rests), key=int)
    names = ", ".join(filter(done, rests))
    near = difflib.get_close_matches(text, rests, 1)
    hint = f" (did you mean {near[0]}?)" if near and not text.lstrip("-").isdigit() else ""
    return (
        f"there is no position {text!r}{hint}; valid are 0 to {last}, {names}, and half-way "
        f"A>B/scale and A>B/shift between two of them (1/scale is short for 0>1/scale), A>0/drain"
    )


__all__ = [
    "COMPLETE",
    "DRAIN",
    "EXACT",
    "FINALISE",
    "PREFIX",
    "PROMOTE",
    "REGEX",
    "SCALE",
    "SHIFT",
    "Amount",
    "Condition",
    "Gate",
    "Match",
    "Mirror",
    "Modifier",
    "Pair",
    "Plan",
    "Position",
    "Route",
    "Step",
    "Sticky",
    "Subsets",
    "Traffic",
    "done",
    "locate",
]
