"""What has to be true in the cluster before the next commit: hosts apply the newest one and skip those between."""

from krmfn.frozen import Value
from krmfn.kinds import PARTITION, REVISIONS
from krmfn.stage import TARGET

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from krmfn.krm.item import Ref
    from krmfn.plan import Match, Plan
    from krmfn.report.outlook import Commit, Edge, Outlook
    from krmfn.stage import Stage

GRACE = (
    "Requests are divided anew, which nothing in the cluster counts: give proxies and open connections time to follow "
    "before the next commit."
)


class Wait(Value):
    """A workload whose newest generation has to be observed, with so many pods, ``share`` percent of them available.

    ``updated`` of them are of its newest version, None where all of them have to be. Where it keeps its
    revisions, the newest one has to be ready instead, and ``revision`` is its name ("" while nobody knows it).
    """

    ref: "Ref"
    pods: int
    canary: bool
    updated: int | None = None
    revision: str | None = None
    share: int = 100

    @property
    def available(self) -> int:
        """How many pods have to be available: one at the least, since requests may come next."""
        return max(self.pods * self.share // 100, min(self.pods, 1))


def _twin(outlook: "Outlook", pods: int, *, canary: bool) -> Wait:
    """Return what to wait for of one of two workloads."""
    ref = outlook.view.canary if canary else outlook.view.body
    return Wait(ref, pods, canary, share=outlook.plan.ready[canary])


def waits(outlook: "Outlook", before: "Stage", now: "Stage") -> "Iterator[Wait]":
    """Yield the workloads that a commit from one stage to another gives other pods."""
    if outlook.plan.style == REVISIONS:
        if before.template != now.template:
            yield _revision(outlook, now)
        return
    if outlook.plan.style == PARTITION:
        if (before.stable, before.canary, before.template) != (now.stable, now.canary, now.template):
            yield _shared(outlook, now)
        return
    if (before.stable, before.template) != (now.stable, now.template):
        yield _twin(outlook, now.stable, canary=False)
    if now.canary is not None and now.canary != before.canary:
        yield _twin(outlook, now.canary, canary=True)


def _revision(outlook: "Outlook", now: "Stage") -> Wait:
    """Return what to wait for of a workload whose revisions have names, as far as those are known."""
    new, apart = now.template == TARGET, outlook.apart
    return Wait(outlook.view.body, 0, new, revision=(apart.canary if new else apart.stable) if apart else "")


def _shared(outlook: "Outlook", now: "Stage") -> Wait:
    """Return what to wait for of a workload that has the pods of both sides."""
    divided = now.template == TARGET and now.canary is not None
    pods = now.stable + (now.canary or 0)
    return Wait(outlook.view.body, pods, canary=False, updated=now.canary if divided else pods)


def graces(plan: "Plan", before: "Stage", now: "Stage") -> bool:
    """Tell whether a commit moves requests from one side to the other."""
    if plan.style == REVISIONS:
        return _of_new(before) != _of_new(now)
    both_run = before.canary is not None and now.canary is not None
    return _share(before) != _share(now) or (both_run and before.pinned != now.pinned)


def _of_new(stage: "Stage") -> int:
    """Return the share of the new revision, which is all there is from promote on."""
    if stage.canary is None:
        return int(stage.template == TARGET) * 100
    return (stage.traffic.weight or 0) if stage.traffic else 0


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
    if outlook.plan.style == REVISIONS:
        if edge.origin.template != end.template:
            yield _revision(outlook, end)
        return
    if outlook.plan.style == PARTITION:
        if any(
            True for before, commit in steps(edge.origin, edge.commits) for _ in waits(outlook, before, commit.stage)
        ):
            yield _shared(outlook, end)
        return
    touched = {
        wait.canary
        for before, commit in steps(edge.origin, edge.commits)
        for wait in waits(outlook, before, commit.stage)
    }
    if False in touched:
        yield _twin(outlook, end.stable, canary=False)
    if True in touched and end.canary is not None:
        yield _twin(outlook, end.canary, canary=True)
