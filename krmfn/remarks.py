"""What is said about a rendered rollout: where it stands, what a jump left out, what the dialect wanted mentioned."""

from krmfn.config import LABEL, RENAME
from krmfn.errors import KrmfnError
from krmfn.kinds import PARTITION, REVISIONS
from krmfn.plan import COMPLETE, locate
from krmfn.results import INFO, WARNING, Result
from krmfn.stage import TARGET, divide, skipped
from krmfn.view import View

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from krmfn.plan import Position


def remarks(view: View) -> "Iterator[Result]":
    """Yield one info with the position, and the warnings that are about the rollout itself."""
    rollout, item = view.plan.rollout, view.scene.lookup(view.plan.rollout)
    file = item.path if item else ""
    yield Result(INFO, f"{_named(view)}: {describe(view)}", rollout, "", file)
    for remark in view.plan.remarks:
        yield remark.replace(file=file)
    for message in (*_jump(view), *_swap(view), *_back(view)):
        yield Result(WARNING, message, rollout, "", file)


def _jump(view: View) -> "Iterator[str]":
    """Say which half-way positions were left out; a new release begins at 0, where the last one was completed."""
    release = view.scene.state.release(view.plan.rollout)
    if release is None:
        return
    text = "0" if release.position == COMPLETE and view.revisions.new else release.position
    start = _located(view, text)
    if start and (left_out := skipped(view.plan, start, view.position, view.total)):
        names = ", ".join(str(position) for position in left_out)
        straight = f"went from {start} straight to {view.position}, without {names}"
        yield f"{straight}: requests may meet pods that are not ready"


def _swap(view: View) -> "Iterator[str]":
    """Warn where the canary's Service turns from pods of one version to those of the next before they are ready."""
    release, traffic = view.scene.state.release(view.plan.rollout), view.stage.traffic
    if not (release and release.target and view.revisions.new and view.isolation.mode == LABEL and traffic):
        return
    if traffic.reaches:
        yield (
            f"the canary Service selects {view.isolation.key}={view.isolation.canary} from now on, and those pods "
            "are not ready yet; render 0>1/scale first, which sends it no requests"
        )


def _back(view: View) -> "Iterator[str]":
    """Warn where pods of one workload would have to turn back: only its old template does that."""
    release, stage = view.scene.state.release(view.plan.rollout), view.stage
    start = _located(view, release.position) if release and release.target else None
    if start and view.plan.style == PARTITION and stage.canary:
        before = divide(view.plan, start, view.total).canary or 0
        if before > stage.canary:
            yield (
                f"{before - stage.canary} pods of the new version stay, for raising a partition turns no pod back; the "
                f"way back is {start.end}>0/drain"
            )


def _located(view: View, text: str) -> "Position | None":
    try:
        return locate(text, view.plan.rests)
    except KrmfnError:
        return None


def _named(view: View) -> str:
    position = str(view.position)
    return f"step {position} of {len(view.plan.steps)}" if position.isdigit() else position


def _count(name: str, pods: int) -> str:
    return f"{name} {pods} pod{'' if pods == 1 else 's'}"


def describe(view: View) -> str:
    """Say in one line what runs and who gets it."""
    stage = view.stage
    if view.plan.style == REVISIONS:
        return _revisions(view)
    if view.plan.style == PARTITION and stage.canary is not None:
        pods = f"{_count(view.workload.ref.name, view.total)}, {stage.canary} of them new"
        return f"{pods}, {_requests(view)}" if stage.traffic else pods
    pods = _count(view.workload.ref.name, stage.stable)
    if stage.canary is None:
        return f"{pods}, no canary"
    pods += f", {_count(view.canary.name, stage.canary)}"
    return f"{pods}, {_requests(view)}"


def _revisions(view: View) -> str:
    """Say which revisions there are: the one that is not among the pods any more is left out."""
    apart, stage = view.isolation, view.stage
    if stage.canary is None:
        return f"revision {apart.canary if stage.template == TARGET else apart.stable}, no canary"
    canary = f", canary {apart.canary}" if stage.canary else ""
    return f"revision {apart.stable}{canary}, {_requests(view)}"


def _requests(view: View) -> str:
    stage = view.stage
    copies = f", and {stage.traffic.mirror}" if stage.traffic and stage.traffic.mirror else ""
    if stage.traffic and stage.traffic.matches:
        rest = f", {stage.traffic.weight}% of the rest" if stage.traffic.weight else ""
        return f"matching requests to the canary{rest}{copies}"
    if stage.traffic and stage.traffic.reaches:
        return f"{stage.traffic.weight or 0}% of requests to the canary{copies}"
    alone = stage.traffic is not None and (stage.pinned or view.plan.subsets or view.isolation.mode == RENAME)
    return "no requests to the canary" if alone else "requests by number of pods"
