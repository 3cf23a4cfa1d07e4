"""What has to be true in the cluster before the next commit: hosts apply the newest one and skip those between."""

from krmfn.frozen import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from krmfn.krm.item import Ref
    from krmfn.plan import Match
    from krmfn.report.outlook import Commit, Edge, Outlook
    from krmfn.stage import Stage

GRACE = (
    "Requests are divided anew, which nothing in the cluster counts: give proxies and open connections time to follow "
    "before the next commit."
)


class Wait(Value):
    """A workload whose newest generation has to be observed, with so many pods that are up to date and available."""

    ref: "Ref"
    pods: int
    canary: bool


def waits(outlook: "Outlook", before: "Stage", now: "Stage") -> "Iterator[Wait]":
    """Yield the workloads that a commit from one stage to another gives other pods."""
    if (before.stable, before.template) != (now.stable, now.template):
        yield Wait(outlook.view.body, now.stable, canary=False)
    if now.canary is not None and now.canary != before.canary:
        yield Wait(outlook.view.canary, now.canary, canary=True)


def graces(before: "Stage", now: "Stage") -> bool:
    """Tell whether a commit moves requests from one side to the other."""
    both_run = before.canary is not None and now.canary is not None
    return _share(before) != _share(now) or (both_run and before.pinned != now.pinned)


def _share(stage: "Stage") -> "tuple[int, tuple[Match, ...]]":
    return (stage.traffic.weight or 0, stage.traffic.matches) if stage.traffic else (0, ())


def steps(origin: "Stage", commits: "tuple[Commit, ...]") -> "Iterator[tuple[Stage, Commit]]":
    """Yield each commit with the stage before it."""
    for commit in commits:
        yield origin, commit
        origin = commit.stage


def at_end(outlook: "Outlook", edge: "Edge") -> "Iterator[Wait]":
    """Yield, for the end of an edge, every workload that any of its commits gave other pods and that is still there."""
    end = edge.commits[-1].stage
    touched = {
        wait.canary
        for before, commit in steps(edge.origin, edge.commits)
        for wait in waits(outlook, before, commit.stage)
    }
    if False in touched:
        yield Wait(outlook.view.body, end.stable, canary=False)
    if True in touched and end.canary is not None:
        yield Wait(outlook.view.canary, end.canary, canary=True)
