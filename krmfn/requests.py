"""Which rollouts are to be rendered, and at which position each.

A position comes from the function config, else from the rollout's annotation, else from the state; there is no default,
since every default either ships to everyone or withdraws a release.
"""

from krmfn import dialects, shapes
from krmfn.config import ROLLOUT, STEP, Config
from krmfn.errors import KrmfnError
from krmfn.fields import Fields
from krmfn.frozen import Value
from krmfn.krm import Item
from krmfn.plan import COMPLETE, Plan
from krmfn.results import INFO, Refused, Result
from krmfn.scene import Scene

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from krmfn.krm import Package
    from krmfn.krm.item import Ref


class Request(Value):
    """One rollout, its plan, and the position that was asked for, as text."""

    rollout: Item
    plan: Plan
    position: str


def requests(scene: Scene, config: Config) -> "tuple[list[Request], list[Result]]":
    """Return what is to be rendered, and what was left alone. Raises ``Refused`` with everything that is wrong."""
    rollouts = list(_rollouts(scene))
    if len({item.ref.key for item in rollouts}) < len(rollouts):
        for item in rollouts:
            scene.require(item.ref, item.ref, "metadata.name")
    problems: list[KrmfnError] = [*_absent(scene, rollouts, config)]
    if problems:
        raise Refused(problems)
    found: list[Request] = []
    for item in rollouts:
        try:
            found.append(Request(item, _plan(item, scene), _position(scene, item, config, alone=len(rollouts) == 1)))
        except KrmfnError as problem:
            problems.append(problem)
    problems += _shared_workloads(found)
    if problems:
        raise Refused(problems)
    problems += [problem for request in found if request.plan.disabled for problem in _disabled(scene, request)]
    if problems:
        raise Refused(problems)
    idle = [Result(INFO, _idle(r), r.plan.rollout) for r in found if not _active(r)]
    return [request for request in found if _active(request)], idle


def _active(request: Request) -> bool:
    return bool(request.position) and not request.plan.disabled


def _idle(request: Request) -> str:
    why = "is disabled" if request.plan.disabled else "has no position yet"
    return f"{why} and was left alone"


def _disabled(scene: Scene, request: Request) -> "Iterator[KrmfnError]":
    """Refuse to disable a release that is under way: nobody could tell what is to become of its canary."""
    release = scene.state.release(request.plan.rollout)
    if release and release.position not in ("0", "complete"):
        message = f"is disabled while its release stands at {release.position}; go to 0 or to complete first"
        yield KrmfnError(message, ref=request.plan.rollout, field="spec.disabled")


def _rollouts(scene: Scene) -> "Iterator[Item]":
    marks: set[int] = set()
    for group, kind in dialects.DIALECTS:
        for item in scene.package.find(group, kind):
            if (item.ref.group, item.ref.kind) == (group, kind) and item.mark not in marks and dialects.find(item):
                marks.add(item.mark)
                yield item


def made_in(package: "Package", rollout: Item, ref: "Ref") -> Item | None:
    """Return an object that a rollout makes as it stands in another package. Raises as its dialect does."""
    scene = Scene(package)
    item = scene.lookup(rollout.ref)
    if item and dialects.find(item):
        _plan(item, scene)
    return scene.made.get(ref.key)


def _plan(item: Item, scene: Scene) -> Plan:
    dialect = dialects.find(item)
    if dialect is None:
        raise KrmfnError("is no rollout", ref=item.ref, file=item.path)
    try:
        check_shape(item)
        plan = dialect.plan(item, scene)
        _check_workload(scene, plan)
        scene.supply(plan)
    except KrmfnError as problem:
        for inner in problem.problems if isinstance(problem, Refused) else (problem,):
            inner.file = inner.file or _file(inner.ref or item.ref, scene) or item.path
        raise
    return plan


def _file(ref: "Ref", scene: Scene) -> str:
    """Return the file that an object is in, "" for one that a rollout makes."""
    return next((found.path for found in scene.package.find(ref.name) if found.ref.key == ref.key), "")


def check_shape(item: Item) -> None:
    """Raise KrmfnError where a rollout has no name, or something stands in it that cannot stand there."""
    shapes.check(item)
    if not item.ref.name:
        raise KrmfnError("is required: a release is known by it", ref=item.ref, field="metadata.name", file=item.path)


def _check_workload(scene: Scene, plan: Plan) -> None:
    """Refuse another workload while a release is under way; between two releases the old one is forgotten."""
    release = scene.state.release(plan.rollout)
    if release is None or release.workload.key == plan.workload.key:
        return
    if release.position not in ("0", COMPLETE):
        message = f"is now {plan.workload}, and a release of {release.workload} stands at {release.position}"
        raise KrmfnError(f"{message}; go to 0 with that one first", ref=plan.rollout, field=plan.workload_field)
    scene.forget(plan.rollout)


def _absent(scene: Scene, rollouts: list[Item], config: Config) -> "Iterator[KrmfnError]":
    """Yield what is wrong with the rollouts as a whole."""
    names = [str(item.ref).partition(" ")[2] for item in rollouts]
    if not rollouts:
        kinds = ", ".join(f"{kind}.{group}" for group, kind in dialects.DIALECTS)
        message = f"the package has no rollout; add one of {kinds}, or check that its file is part of the input"
        if folded := next((item for item in scene.package.find("List") if item.ref.kind == "List"), None):
            message += "; the objects of a List are not looked at, so write each of them as a document"
        yield KrmfnError(message, file=folded.path if folded else "")
    elif config.rollout and (count := sum(config.means(item.ref) for item in rollouts)) != 1:
        there = f"names {count} rollouts, so say which" if count else "names none"
        message = f"`rollout: {config.rollout}` of the function config {there} of {', '.join(names)}"
        yield KrmfnError(message)
    elif config.step and not config.rollout and len(rollouts) > 1:
        message = f"the function config has a step, and the package has {len(rollouts)} rollouts: "
        which = f"say which one with `rollout:` or --rollout ({', '.join(names)})"
        yield KrmfnError(f"{message}{which}, or annotate each with {STEP}")
    keys = {item.ref.key for item in rollouts}
    for release in scene.state.releases:
        if release.rollout.key not in keys and release.position not in ("0", "complete"):
            message = f"is gone while its release stands at position {release.position}; put it back and go to 0 first"
            yield KrmfnError(message, ref=release.rollout)
    if scene.added and not scene.state_item:
        item = next(iter(scene.added.values()))
        message = (
            f"was written by krmfn (label {ROLLOUT}), and the RolloutState that belongs to it is missing; restore the "
            "state from Git, or give krmfn the whole folder that it has rendered, or the package as its author wrote it"
        )
        yield KrmfnError(message, ref=item.ref, file=item.path)


def _position(scene: Scene, item: Item, config: Config, *, alone: bool) -> str:
    if config.step and (alone or config.means(item.ref)):
        return config.step
    annotation = Fields(item.value, item.ref).mapping("metadata").mapping("annotations").at(STEP)
    if annotation.value is not None:
        return str(annotation.value)
    if release := scene.state.release(item.ref):
        return release.position
    if config.rollout and not config.means(item.ref):
        return ""
    message = f"has no position: say `step:` in the function config (or --step S), or annotate the rollout with {STEP}"
    raise KrmfnError(message, ref=item.ref, file=item.path)


def _shared_workloads(found: list[Request]) -> "Iterator[KrmfnError]":
    owners: dict[tuple[str, str, str, str], Request] = {}
    for request in found:
        other = owners.setdefault(request.plan.workload.key, request)
        if other is not request:
            message = (
                f"releases {request.plan.workload}, which {other.rollout.ref} releases already; keep one of the two"
            )
            yield KrmfnError(
                message, ref=request.rollout.ref, field=request.plan.workload_field, file=request.rollout.path
            )
