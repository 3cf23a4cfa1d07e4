"""One position of a plan, worked out: two sides, whole numbers, nothing left to decide; and the order of positions.

The rule between two resting stages a and b is always the same: ``scale`` gives each side the larger number of pods
and changes templates, ``shift`` moves traffic and pins, and only towards 0 ``drain`` empties the canary. Within one
object (``partition``) the number of pods is fixed, so ``scale`` moves the border, and the old template comes back
with the drain. Where that object keeps its ``revisions``, each side is one of them, and from promote on there is one.
"""

from itertools import pairwise

from krmfn.errors import KrmfnError
from krmfn.frozen import Value
from krmfn.kinds import PARTITION, REVISIONS, TWIN
from krmfn.plan import COMPLETE, DRAIN, FINALISE, SCALE, SHIFT, Plan, Position, Traffic, done

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

STABLE, TARGET = "stable", "target"
NOBODY, EVERYBODY = Traffic(weight=0), Traffic(weight=100)


class Stage(Value):
    """What stands in Git at one position.

    ``template`` says which revision the author's workload runs (stable or target). ``canary`` is the number of canary
    pods, None where the canary's objects do not exist. ``traffic`` is None where it is the author's own route with
    nothing of ours beside it; ``pinned`` says that each Service selects one side only; ``opened`` that the Service
    which the author has for the canary leads to it.
    """

    template: str
    stable: int
    canary: int | None
    traffic: Traffic | None
    pinned: bool
    opened: bool = False


def divide(plan: Plan, position: Position, total: int) -> Stage:
    """Work a position out for a workload of ``total`` replicas.

    Raises KrmfnError when a side would get requests and has no pods.
    """
    stage = _at(plan, position, total)
    if stage.traffic and stage.canary == 0 and stage.traffic.reaches:
        step = plan.step_at(position.end) or plan.step_at(position.start)
        message = f"sends requests to the canary, which has no pods (a share of {total} replicas)"
        if not total:
            message += "; say how many there are: in the workload, as its autoscaler's least, or with `replicas:`"
        raise KrmfnError(message, ref=plan.rollout, field=step.field if step else "")
    return stage


def _at(plan: Plan, position: Position, total: int) -> Stage:
    return _rest(plan, position.end, total) if position.rests else _half(plan, position, total)


def _rest(plan: Plan, rest: str, total: int) -> Stage:
    step, new = plan.step_at(rest), done(rest)
    if step is None or rest == COMPLETE:
        return Stage(TARGET if new else STABLE, total, None, None, pinned=False)
    if new and plan.style == REVISIONS:
        return Stage(TARGET, total, None, NOBODY, pinned=False)
    canary = total if new and plan.style == PARTITION else step.pods.of(total)
    summed = plan.style == PARTITION or (plan.shares and not new)
    stable = total - canary if summed else total
    if step.stable is not None and not new:
        stable = step.stable.of(total)
    traffic = (step.traffic or NOBODY) if plan.divides else None
    return Stage(
        _template(plan, canary, new=new),
        stable,
        canary,
        NOBODY if traffic and rest == FINALISE else traffic,
        # From promote on either side is the new version, so no Service is pinned to the old one.
        pinned=(plan.apart or bool(step.traffic)) and not new and stable > 0,
        opened=plan.previews and canary > 0 and rest != FINALISE,
    )


def _half(plan: Plan, position: Position, total: int) -> Stage:
    start, end = _rest(plan, position.start, total), _rest(plan, position.end, total)
    if plan.style == REVISIONS and (found := _with_both(position, start, end)):
        return found
    route = start if position.half == SCALE else end
    canary = 0 if position.half == DRAIN else max(start.canary or 0, end.canary or 0)
    stable = total - canary if plan.style == PARTITION else max(start.stable, end.stable)
    # In one object the pods of the old version are those that never left.
    old = min(start.stable, stable) if plan.style == PARTITION else stable
    return Stage(
        _template(plan, canary, new=done(position.end)),
        stable,
        canary,
        (route.traffic or NOBODY) if plan.divides else None,
        pinned=old > 0 and not done(position.end) and _pins(plan, start, end, position.half),
        opened=route.opened,
    )


def _with_both(position: Position, start: Stage, end: Stage) -> Stage | None:
    """Return the half-way stage where an end has but one revision: first there are both, then the requests move."""
    if done(position.end) and position.half == SHIFT:
        return end
    if done(position.end):
        new = start.replace(template=TARGET, canary=start.stable, traffic=NOBODY, pinned=True)
        return start if start.template == TARGET else new
    if done(position.start) and position.half == SCALE:
        return start.replace(template=end.template, canary=start.stable, traffic=EVERYBODY, pinned=True)
    return None


def _template(plan: Plan, canary: int, *, new: bool) -> str:
    """Say which revision the author's workload runs: within one object the target, as soon as one pod does."""
    return TARGET if new or (plan.style != TWIN and canary) else STABLE


def stays(plan: Plan, stage: Stage) -> str:
    """Say which revision the stable side runs: within one object the old one, for as long as there is a canary."""
    return stage.template if plan.style == TWIN or stage.canary is None else STABLE


def _pins(plan: Plan, start: Stage, end: Stage, half: str) -> bool:
    """Return the pins of the stage whose traffic is shown; a stage without canary pods does not decide about them."""
    shown, other = (start, end) if half == SCALE else (end, start)
    if shown.canary is not None:
        return shown.pinned
    return (plan.divides or plan.apart) if half != SCALE else other.pinned


def empties(plan: Plan, position: Position, total: int) -> bool:
    """Tell whether a step that a position stands at, comes from or goes to leaves no pods to the stable side."""
    rests = {str(len(plan.steps)) if done(rest) else rest for rest in (position.start, position.end)}
    return any(_rest(plan, rest, total).stable == 0 for rest in rests)


def between(plan: Plan, start: str, end: str, total: int) -> "list[Position]":
    """Return the half-way positions of an edge, without those that equal a neighbour."""
    halves = (SCALE, SHIFT, DRAIN) if end == "0" else (SCALE, SHIFT)
    last, left = _rest(plan, start, total), []
    for position in (Position(start, end, half) for half in halves):
        stage = _half(plan, position, total)
        if stage != last:
            left.append((position, stage))
            last = stage
    goal = _rest(plan, end, total)
    while left and left[-1][1] == goal:
        left.pop()
    return [position for position, _ in left]


def timeline(plan: Plan, total: int) -> "Iterator[Position]":
    """Yield every commit of a release, first to last."""
    rests = plan.rests
    yield Position("0", "0")
    for start, end in pairwise(rests):
        yield from between(plan, start, end, total)
        yield Position(end, end)


def skipped(plan: Plan, start: Position, end: Position, total: int) -> "list[Position]":
    """Return the half-way positions that going from one position straight to another leaves out.

    Empty for an edge of the plan: a step to the next commit, one back to where the edge began, or staying. A release
    may also begin anew from anywhere, as long as the stable side has the pods for it already.
    """
    path = [Position(start.start, start.start), *between(plan, start.start, start.end, total)]
    ahead = [*path, Position(start.end, start.end)]
    stages = [_at(plan, position, total) for position in ahead]
    here = ahead.index(start) if start in ahead else stages.index(_at(plan, start, total))
    if end in ahead:
        return ahead[here + 1 : ahead.index(end)]
    if end.rests:
        return between(plan, start.end, end.end, total)
    edge = between(plan, end.start, end.end, total)
    left = edge[: edge.index(end)] if end in edge else []
    if _serves(plan, start, end, total):
        return left
    return [*ahead[here + 1 : -1], *between(plan, start.end, end.start, total), *left]


def _serves(plan: Plan, start: Position, end: Position, total: int) -> bool:
    """Tell whether the stable side has at one position already what it is to have at another: its version, its pods."""
    here, there = (_at(plan, position, total) for position in (start, end))
    enough = plan.style == PARTITION or here.stable >= there.stable
    return enough and stays(plan, here) == stays(plan, there)
