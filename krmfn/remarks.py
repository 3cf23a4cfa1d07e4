"""What is said about a rendered rollout: where it stands, what a jump left out, what the dialect wanted mentioned."""

from krmfn.errors import KrmfnError
from krmfn.plan import Position, locate
from krmfn.results import INFO, WARNING, Result
from krmfn.stage import skipped
from krmfn.view import View

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


def remarks(view: View) -> "Iterator[Result]":
    """Yield one info with the position, and the warnings that are about the rollout itself."""
    rollout, file = view.plan.rollout, view.scene.lookup(view.plan.rollout)
    path = file.path if file else ""
    yield Result(INFO, f"stands at {view.position} of {len(view.plan.steps)} steps: {describe(view)}", rollout, "", path)
    for remark in view.plan.remarks:
        yield remark.replace(file=path)
    release = view.scene.state.release(rollout)
    if release is None:
        return
    start = _position(release.position, view)
    if start and (left_out := skipped(view.plan, start, view.position, view.stage.stable)):
        names = ", ".join(str(position) for position in left_out)
        message = f"went from {start} straight to {view.position}, without {names}: requests may meet pods that are not ready"
        yield Result(WARNING, message, rollout, "", path)


def describe(view: View) -> str:
    """Say in one line what runs and who gets it."""
    stage = view.stage
    pods = f"{view.workload.ref.name} {stage.stable} pods"
    if stage.canary is None:
        return f"{pods}, no canary"
    pods += f", {view.canary.name} {stage.canary} pods"
    if stage.traffic is None:
        return f"{pods}, traffic by number of pods"
    if stage.traffic.matches:
        return f"{pods}, matching requests to the canary"
    return f"{pods}, {stage.traffic.weight}% of requests to the canary"


def _position(text: str, view: View) -> "Position | None":
    try:
        return locate(text, view.plan.rests)
    except KrmfnError:
        return None
