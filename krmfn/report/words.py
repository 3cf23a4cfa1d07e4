"""A stage in words, the same in every form of the plan."""

from krmfn.kinds import REVISIONS
from krmfn.plan import EXACT, PREFIX
from krmfn.report.difference import ADDED, CHANGED, REMOVED
from krmfn.report.waiting import graces, waits
from krmfn.stage import TARGET, stays

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from krmfn.plan import Condition, Gate, Match, Mirror, Plan, Position
    from krmfn.report.difference import Difference
    from krmfn.report.outlook import Commit, Outlook
    from krmfn.report.waiting import Wait
    from krmfn.stage import Stage

SIGNS = {ADDED: "+", CHANGED: "~", REMOVED: "-"}
NOTHING = "-"


def stable(plan: "Plan", stage: "Stage") -> str:
    """Say how many pods the author's workload has, and of which version."""
    return _pods(plan, stage.stable, "new" if stays(plan, stage) == TARGET else "old")


def canary(plan: "Plan", stage: "Stage") -> str:
    """Say how many pods the canary has."""
    return NOTHING if stage.canary is None else _pods(plan, stage.canary, "new")


def _pods(plan: "Plan", number: int, version: str) -> str:
    """Say how many pods a version has, where that is known: of a revision, whether it is there."""
    if plan.style == REVISIONS:
        return version if number else NOTHING
    return f"{number} {version}"


def traffic(stage: "Stage") -> str:
    """Say which requests the canary gets."""
    if stage.canary is None:
        return NOTHING
    rule = stage.traffic
    if rule is None:
        return f"by pods, {stage.canary} of {stage.canary + stage.stable}"
    copies = f", {mirror(rule.mirror)}" if rule.mirror else ""
    if rule.matches:
        rest = f", {rule.weight}% of the rest" if rule.weight else ""
        return " or ".join(match(one) for one in rule.matches) + rest + copies
    return f"{rule.weight or 0}%{copies}"


def mirror(rule: "Mirror") -> str:
    """Say which requests the canary gets a copy of."""
    which = " or ".join(match(one) for one in rule.matches)
    return f"copies of {rule.percent}%{f' of {which}' if which else ''}"


def match(one: "Match") -> str:
    """Say which requests a match describes."""
    parts = [_condition(condition) for condition in one.conditions]
    if one.path:
        kind, value = one.path
        parts.append(f"path {'' if kind == EXACT else 'below ' if kind == PREFIX else '~ '}{value}")
    return " and ".join(parts) or "any request"


def _condition(one: "Condition") -> str:
    return f"{f'{one.part} {one.name}'.strip()} {'=' if one.type == EXACT else '~'} {one.value}"


def pinned(stage: "Stage") -> str:
    """Say whether each Service reaches one side only."""
    return "yes" if stage.pinned else "no"


def gate_of(plan: "Plan", position: "Position") -> "Gate | None":
    """Return what has to happen between two steps; None where the author put nothing there."""
    if not position.rests or not position.end.isdigit() or position.end == "0":
        return None
    step = plan.step_at(position.end)
    return step.gate if step else None


def gate(plan: "Plan", position: "Position") -> str:
    """Say what has to happen before the next step, "" where nothing has to."""
    if position.rests and position.end == "0":
        return "a person decides"
    found = gate_of(plan, position)
    if found is None:
        return ""
    if found.check:
        return f"{found.seconds} s, {found.check}" if found.seconds else found.check
    return "a person decides" if found.seconds is None else f"{found.seconds} s"


def waiting(outlook: "Outlook", before: "Stage", commit: "Commit") -> str:
    """Say what has to be true before the next commit."""
    pods = [_ready(wait) for wait in waits(outlook, before, commit.stage)]
    decided = [*pods, *filter(None, [gate(outlook.plan, commit.position)])]
    return ", ".join(decided) or ("requests have moved" if graces(outlook.plan, before, commit.stage) else NOTHING)


def _ready(wait: "Wait") -> str:
    if wait.revision is not None:
        return f"{wait.revision or 'the newest revision'} ready"
    if wait.updated is None:
        some = f"{wait.available} of " if wait.available != wait.pods else ""
        return f"{'canary' if wait.canary else 'stable'} {some}{wait.pods} ready"
    return f"{wait.pods} ready" + (f", {wait.updated} of them new" if wait.updated != wait.pods else "")


def changes(found: "Sequence[Difference]") -> "Iterator[tuple[str, str]]":
    """Yield, for each object that differs, the sign of what happened and its name with the fields that changed."""
    for difference in found:
        fields = ", ".join(str(field).removeprefix("metadata.") for field in difference.fields)
        yield SIGNS[difference.action], f"{difference.ref}{': ' + fields if fields else ''}"


def title(outlook: "Outlook") -> str:
    """Say what is released, in one line."""
    count, pods = len(outlook.plan.steps), outlook.view.stage.stable
    steps = f"{count} step{'s' if count != 1 else ''}"
    size = "" if outlook.plan.style == REVISIONS else f", {pods} pod{'s' if pods != 1 else ''}"
    return f"{outlook.plan.rollout} releases {outlook.view.body}: {steps}{size}"


def facts(outlook: "Outlook") -> "Iterator[str]":
    """Yield what else there is to say, a line each."""
    if outlook.release:
        yield "The new version: " + ", ".join(str(change) for change in outlook.release) + "."
    if outlook.known and outlook.isolation:
        yield f"Stable and canary pods are told apart by: {outlook.isolation}."
    if outlook.current:
        yield f"It stands at {outlook.current}."
    yield from outlook.notes


def way_back(outlook: "Outlook") -> str:
    """Say how to give the release up: from where it stands, or else from step 1."""
    edges = {edge.start: edge for edge in outlook.edges if edge.back}
    edge = edges.get(outlook.current) or edges["1"]
    return f"Back from {edge.start}: {', '.join(str(commit.position) for commit in edge.commits)}."
