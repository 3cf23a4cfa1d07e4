"""From a request to a view: the workload, both revisions, the stage, and how the sides are told apart."""

from krmfn import contents, life, shapes, sound
from krmfn.changes import GONE, Change, at, diff
from krmfn.config import AUTO, ISOLATION, MODES, TRACKED, Config
from krmfn.errors import KrmfnError
from krmfn.fields import Fields
from krmfn.isolation import Isolation, Sides, canary_name, choose, marked
from krmfn.kinds import REVISIONS, WORKLOADS, body
from krmfn.krm import Item, load, same
from krmfn.krm.item import Ref
from krmfn.plan import COMPLETE, Plan, Position, locate
from krmfn.requests import Request, made_in
from krmfn.revisions import TEMPLATE, Found, Revisions, check, settle
from krmfn.scaling import autoscaler, least
from krmfn.scene import Scene
from krmfn.stage import divide
from krmfn.stamp import stamped
from krmfn.view import View

TYPE_CHECKING = False
if TYPE_CHECKING:
    from krmfn.krm import Package

NO_ISOLATION = Isolation("")


def viewed(scene: Scene, request: Request, config: Config, stable: "Package | None") -> View:
    """Work out what is to be rendered. Raises KrmfnError, before anything is rendered, for what cannot be."""
    plan = request.plan
    workload = _workload(scene, plan)
    position = _located(request)
    release = scene.state.release(plan.rollout)
    made = workload.ref.key in scene.made
    changes = () if made else _canary_changes(scene, workload)
    found = Found(plan, workload, release, changes, _given(stable, request, workload.ref), made)
    own, there = contents.versioned(plan, config), contents.known(release, stable, workload.ref.namespace)
    revisions = settle(found, config)
    versions = tuple(contents.changed(scene, plan, revisions, there))
    if own:
        revisions = contents.stamped(revisions, versions, plan, release)
    check(found, revisions, str(position), retarget=config.retarget)
    life.check(plan, release, position, retarget=config.retarget)
    life.check_style(plan, scene.state)
    sound.check(scene, plan, workload, revisions)
    total = replicas(scene, workload, config)
    fixed = own and str(position) != COMPLETE
    kept = dict(contents.kept(scene, plan, _running(revisions, position), there, fixed=fixed))
    return View(
        scene=scene,
        plan=plan,
        position=position,
        stage=divide(plan, position, total),
        isolation=_isolation(scene, request, config, (position, revisions, workload, total)),
        revisions=revisions,
        workload=workload,
        total=total,
        configs=tuple((name, text) for (kind, name), text in kept.items() if kind == contents.MAP),
        secrets=tuple((name, text) for (kind, name), text in kept.items() if own and kind == contents.SECRET),
        versions=versions,
        versioned=own,
    )


def replicas(scene: Scene, workload: Item, config: Config) -> int:
    """Return how many pods the author wants: the config's word, an autoscaler's minimum, ``spec.replicas``, else 1.

    Where revisions have as many as their requests need, it is one for each: the revision itself.
    """
    row = WORKLOADS[workload.ref.group, workload.ref.kind]
    if row.revisions:
        return 1
    if config.replicas is not None:
        return config.replicas
    if (owner := autoscaler(scene, workload)) is not None:
        return least(owner)
    if not row.replicas:
        message = (
            "runs as many pods as the cluster has nodes for it; say how many with `replicas:` in the function config"
        )
        raise KrmfnError(message, ref=workload.ref, file=workload.path)
    spec = Fields(workload.value, workload.ref).mapping("spec")
    count = spec.whole("replicas")
    spec.settle()
    return 1 if count is None else count


def _workload(scene: Scene, plan: Plan) -> Item:
    ref = plan.workload
    row = WORKLOADS.get((ref.group, ref.kind))
    if row and row.refusal and plan.style not in row.styles:
        message = f"{ref.kind}.{ref.group} cannot be released step by step: {row.refusal}"
        raise KrmfnError(message, ref=plan.rollout, field=f"{plan.workload_field}.kind")
    if row is None or plan.style not in row.styles:
        known = ", ".join(
            f"{kind}.{group}" for (group, kind), row in WORKLOADS.items() if row.named and plan.style in row.styles
        )
        message = f"{ref.kind}.{ref.group} cannot be released in {plan.style} style; that can be: {known}"
        raise KrmfnError(message, ref=plan.rollout, field=f"{plan.workload_field}.kind")
    return scene.require(ref, plan.rollout, f"{plan.workload_field}.name")


def _located(request: Request) -> Position:
    try:
        return locate(request.position, request.plan.rests)
    except KrmfnError as problem:
        raise KrmfnError(problem.message, ref=request.rollout.ref, file=request.rollout.path) from problem


def _canary_changes(scene: Scene, workload: Item) -> tuple[Change, ...]:
    """Return what people changed in the pod template of the canary workload since we wrote it."""
    key = body(workload.ref).replace(name=canary_name(workload.ref.name)).key
    item = scene.added.get(key)
    wrote = scene.state.wrote(item.ref) if item else ""
    if item is None or not wrote:
        return ()
    before, now = at(load(wrote), TEMPLATE), at(item.value, TEMPLATE)
    return () if GONE in (before, now) else tuple(diff(before, now))


def _given(stable: "Package | None", request: Request, ref: Ref) -> Item | None:
    """Return the workload among the manifests that say what runs now, or what their rollout makes."""
    if stable is None:
        return None
    for item in stable.find(ref.name, ref.kind):
        if item.ref.key == ref.key:
            shapes.check(item)
            return item
    if request.plan.makes and (made := made_in(stable, request.rollout, ref)):
        return made
    raise KrmfnError(f"the manifests given as --stable do not have {ref}", ref=ref)


def _isolation(
    scene: Scene, request: Request, config: Config, found: tuple[Position, Revisions, Item, int]
) -> Isolation:
    position, revisions, workload, total = found
    sides = _sides(scene, request.plan, revisions, (workload, total))
    release = scene.state.release(request.plan.rollout)
    asked = config.isolation or _annotated(request.rollout)
    adopted = config.adopted or bool(release and release.adopted)
    under_way = bool(release and release.mode and release.position not in ("0", COMPLETE))
    if release and under_way and asked not in ("", AUTO, release.mode):
        message = (
            f"isolation {asked} was asked for while a release with isolation {release.mode} is under way; go to 0 first"
        )
        raise KrmfnError(message, ref=request.rollout.ref)
    if str(position) in ("0", COMPLETE):
        there = (release and release.adopted) or (config.adopted and asked in ("", AUTO))
        stamps = asked == TRACKED or there or request.plan.style == REVISIONS
        return choose(TRACKED, sides, adopted=True) if stamps else NO_ISOLATION
    mode = release.mode if release and under_way else asked
    chosen = choose(mode, sides, adopted=adopted)
    carried = stamped(sides.stable, chosen.mode, chosen.key, workload.ref.name)
    if chosen.mode == TRACKED and not adopted and not same(carried, sides.stable):
        raise KrmfnError(_unstamped(request.plan, chosen), ref=request.rollout.ref)
    return chosen


def _unstamped(plan: Plan, isolation: Isolation) -> str:
    needed = f"isolation {isolation.mode} needs its stamp on the running pods before a Service may select on it"
    if plan.style == REVISIONS:
        needed = f"the running revision needs the name {isolation.stable}, by which requests are led to it"
    return f"{needed}: render step 0 first and let it roll out, or say `adopted: true` where that has been done"


def _annotated(rollout: Item) -> str:
    metadata = Fields(rollout.value, rollout.ref).mapping("metadata")
    found = metadata.mapping("annotations").text(ISOLATION, choices=MODES)
    metadata.settle()
    return found


def _sides(scene: Scene, plan: Plan, revisions: Revisions, found: tuple[Item, int]) -> Sides:
    workload, total = found
    services = []
    for pair in plan.services:
        if pair.subsets.stable:
            services.append((f"subset {pair.subsets.stable} of {pair.stable}", dict(pair.subsets.labels)))
        names = (pair.stable, pair.canary) if pair.given else (pair.stable,)
        for name in names if pair.canary != pair.stable else ():
            item = scene.lookup(Ref("v1", "Service", workload.ref.namespace, name))
            if item:
                services.append((name, (item.value.get("spec") or {}).get("selector") or {}))
    selector = (workload.value["spec"].get("selector") or {}).get("matchLabels") or {}
    target = load(revisions.target or revisions.stable)
    stable = marked(load(revisions.stable), plan.stable_labels, ())
    return Sides(plan, stable, target, selector, tuple(services), total)


def _running(revisions: Revisions, position: Position) -> str:
    """Return the template that is the stable one once this position is reached."""
    return revisions.target if revisions.target and str(position) == COMPLETE else revisions.stable
