"""What may happen to a release that is under way: a pause, other steps, another style. It is said, never guessed."""

from krmfn.errors import KrmfnError
from krmfn.isolation import canary_name
from krmfn.kinds import TWIN, body
from krmfn.plan import COMPLETE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from krmfn.plan import Plan, Position
    from krmfn.state import Release, State

REPLICAS = ("spec", "replicas")


def under_way(release: "Release | None") -> bool:
    """Tell whether a release stands somewhere between 0 and complete."""
    return bool(release and release.target and release.position not in ("0", COMPLETE))


def check(plan: "Plan", release: "Release | None", position: "Position", *, retarget: bool) -> None:
    """Refuse a position that a pause forbids, or whose step is not the one that it was set for."""
    if release is None or not under_way(release):
        return
    moved = str(position) != release.position
    if plan.paused and moved and position.end != "0":
        message = (
            f"is paused and stands at {release.position}; set it to false to go on to {position}, or withdraw with 0"
        )
        raise KrmfnError(message, ref=plan.rollout, field=plan.paused)
    if not moved and not retarget:
        _check_steps(plan, release, position)


def check_style(plan: "Plan", state: "State") -> None:
    """Refuse another way to release one workload while a release is under way: its pods would be exchanged at once."""
    release, canary = state.release(plan.rollout), body(plan.workload)
    if release is None or not under_way(release):
        return
    twin = bool(state.wrote(canary.replace(name=canary_name(canary.name))))
    shares = any(edit.ref.key == canary.key and edit.path == REPLICAS for edit in state.edits)
    if twin != (plan.style == TWIN) or (shares and not plan.shares):
        message = (
            f"is released in another way now, and a release stands at {release.position}; write it as it was, and go "
            "to 0 or to complete first"
        )
        raise KrmfnError(message, ref=plan.rollout, field=plan.steps[0].field.rpartition(".steps")[0])


def _check_steps(plan: "Plan", release: "Release", position: "Position") -> None:
    now = plan.summary
    for rest in (position.start, position.end):
        number = int(rest) - 1 if rest.isdigit() else -1
        was = release.steps[number] if 0 <= number < len(release.steps) else ""
        if number < 0 or not was or (number < len(now) and now[number] == was):
            continue
        instead = f"step {number + 1} is now {now[number]}" if number < len(now) else f"there are {len(now)} steps now"
        again = f"; what it was is now step {now.index(was) + 1}" if was in now else ""
        message = (
            f"stands at {position}, which was {was} when it was set, and {instead}{again}; say the position anew, or "
            "`retarget: true` to stay at the one of that name"
        )
        raise KrmfnError(message, ref=plan.rollout, field=plan.steps[min(number, len(plan.steps) - 1)].field)
