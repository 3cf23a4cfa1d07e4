"""A plan and its stages in whole sentences, for people who have not written the rollout."""

from krmfn.config import LABEL, RENAME, SHARED
from krmfn.frozen import Value
from krmfn.kinds import COMPANIONS, PARTITION, REVISIONS
from krmfn.plan import FINALISE
from krmfn.report import words
from krmfn.report.waiting import steps
from krmfn.stage import TARGET

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from krmfn.krm.item import Ref
    from krmfn.plan import Pair, Plan
    from krmfn.report.outlook import Commit, Edge, Outlook
    from krmfn.results import Result
    from krmfn.stage import Stage

# What one Service, or none, comes to where no route looks at a request.
EVERYBODY = 100


class Entry(Value):
    """Something with a name ("" where it needs none), and what is said about it."""

    label: str
    says: tuple[str, ...]


def released(outlook: "Outlook") -> "Iterator[Entry]":
    """Say what is released, and in which objects its pods run."""
    plan, view = outlook.plan, outlook.view
    said = [f"{words.title(outlook)}."]
    if view.body.kind != view.workload.ref.kind:
        said.append(f"Its pods run in {view.body}, which is made from it.")
    if plan.style == PARTITION:
        said.append("Old and new pods share that object; each step moves some of them to the new version.")
    elif plan.style == REVISIONS:
        said.append("Each version is a revision of that object, with as many pods as its requests need.")
    else:
        said.append(f"The new version runs beside it in {view.canary} until the stable side has it, too.")
    if plan.shares:
        said.append("What one side gets in pods the other gives up.")
    if plan.makes:
        made = ", ".join(f"{manifest['kind']} {manifest['metadata']['name']}" for manifest in plan.makes)
        said.append(f"It brings along, at every stage: {made}.")
    if plan.paused:
        said.append(f"It is paused ({plan.paused}): a release that is under way can only be withdrawn.")
    yield Entry("", tuple(said))


def requests(outlook: "Outlook") -> "Iterator[Entry]":
    """Say which Services lead to which side, and which routes lead to the Services."""
    plan = outlook.plan
    if not plan.divides and not plan.services:
        yield Entry("", ("No step has a traffic rule: requests follow the number of pods.",))
    for pair in plan.services:
        yield Entry(f"Service {pair.stable}", (_pair(plan, pair),))
    for route in plan.routes:
        between = dict.fromkeys((route.services.stable, route.services.canary))
        said = f"divides requests between {' and '.join(f'Service {name}' for name in between)}."
        if len(between) == 1:
            said = f"divides requests within Service {route.services.stable}, by subsets."
        if plan.style == REVISIONS:
            said = "divides requests between its revisions."
        if any((group, kind) == (route.group, route.kind) for (group, _), kind in COMPANIONS.items()):
            said = "says which pods are on which side, and divides nothing."
        yield Entry(f"{route.kind} {route.name}", (said,))
    if plan.services and plan.divides and not plan.routes:
        decides = f"the selector of Service {plan.services[0].stable} decides who gets the requests"
        yield Entry("", (f"There is no route: {decides}.",))


def _pair(plan: "Plan", pair: "Pair") -> str:
    if pair.stable == pair.canary:
        return "serves both sides, which the routes tell apart."
    if not pair.canary:
        return "leads to the stable side."
    added = "" if pair.given else ", which is added for the release"
    if not plan.divides:
        return f"belongs to the stable side, Service {pair.canary} to the canary{added}; no step has a traffic rule."
    return f"leads to the stable side, Service {pair.canary} to the canary{added}."


def stages(outlook: "Outlook") -> "Iterator[Entry]":
    """Say of each resting stage who runs, who gets the requests, and what has to be true before the next commit."""
    first = outlook.timeline[0]
    yield Entry(str(first.position), (*_stage(outlook, None, first), *_next(outlook, first.stage, first)))
    ahead = [edge for edge in outlook.edges if not edge.back]
    for edge in ahead:
        *half, (before, rest) = steps(edge.origin, edge.commits)
        said = [*_stage(outlook, edge, rest)]
        if half:
            way = "; ".join(f"{commit.position}, until {words.waiting(outlook, b, commit)}" for b, commit in half)
            said.append(f"On the way there: {way}.")
        yield Entry(edge.end, (*said, *(() if edge is ahead[-1] else _next(outlook, before, rest))))
    yield Entry("back", (f"F{words.way_back(outlook).removeprefix('Back f')}",))


def _stage(outlook: "Outlook", edge: "Edge | None", commit: "Commit") -> "Iterator[str]":
    plan, stage = outlook.plan, commit.stage
    yield _pods(plan, stage)
    yield _requests(plan, stage, commit.position.end)
    if stage.traffic and stage.traffic.sticky and stage.traffic.reaches:
        yield f"Whom the weight has sent there stays there, by the cookie {stage.traffic.sticky.cookie}."
    pinned = edge is not None and edge.origin.pinned
    if plan.services and not plan.subsets and stage.pinned != pinned and outlook.isolation != RENAME:
        yield "Each Service selects one side only." if stage.pinned else "The Services select as their author wrote it."


def _pods(plan: "Plan", stage: "Stage") -> str:
    if plan.style == PARTITION and stage.canary is not None:
        return f"{stage.canary} of {_count(stage.stable + stage.canary)} run the new version."
    if plan.style == REVISIONS and stage.canary is not None:
        return "There is a revision of either version."
    version = "new" if stage.template == TARGET else "old"
    if stage.canary is None and plan.style == REVISIONS:
        return f"The revision of the {version} version."
    if stage.canary is None:
        return f"{_count(stage.stable)} of the {version} version, and no others."
    return (
        f"{_count(stage.stable, 'stable ')} of the {version} version, {_count(stage.canary, 'canary ')} of the new one."
    )


def _requests(plan: "Plan", stage: "Stage", rest: str) -> str:
    rule = stage.traffic
    if stage.canary is None:
        return f"{'It gets' if plan.style == REVISIONS else 'They get'} all requests."
    if rule is None:
        return (
            f"Requests follow the number of pods: {stage.canary} of {stage.canary + stage.stable} for the new version."
        )
    if not rule.reaches:
        look = f" Service {_preview(plan)} leads to the canary, for whoever wants to look." if stage.opened else ""
        return f"The stable side gets all requests{', and is new' if rest == FINALISE else ''}.{look}"
    if rule.weight == EVERYBODY and not rule.matches:
        turned = "" if plan.routes else f": Service {plan.services[0].stable} has gone over to it"
        return f"The canary gets all requests{turned}."
    share = f"requests with {words.traffic(stage)}" if rule.matches else f"{words.traffic(stage)} of the requests"
    if rule.mirror and not rule.matches and not rule.weight:
        return f"The stable side gets all requests; the canary gets {words.mirror(rule.mirror)}, and answers nobody."
    return f"The canary gets {share}; the stable side gets the others."


def _preview(plan: "Plan") -> str:
    return next((pair.canary for pair in plan.services if pair.given), "")


def _next(outlook: "Outlook", before: "Stage", commit: "Commit") -> tuple[str, ...]:
    said = words.waiting(outlook, before, commit)
    return () if said == words.NOTHING else (f"Before the next commit: {said}.",)


def apart(outlook: "Outlook", *, known: bool) -> "Iterator[Entry]":
    """Say by which label Services and workloads know whose pod it is."""
    found = outlook.apart
    if found is None or not found.mode:
        return
    given = any(found.key == key for key, _ in outlook.plan.pod_labels)
    said = {
        SHARED: "Services select both sides, for requests follow the number of pods.",
        LABEL: f"By the label {found.key} of the pods, which "
        + ("the rollout gives each side." if given else "differs between the two versions."),
        RENAME: f"Canary pods have {found.key}={found.canary}, stable pods keep {found.key}={found.stable}.",
    }.get(found.mode, f"Pods are stamped {found.key}, at the price of one rolling restart at 0.")
    if outlook.plan.style == REVISIONS:
        said = "By the names of the revisions, which are in the manifests: at 0 the one that runs gets its name."
    more = (
        ()
        if known or given or found.mode != LABEL
        else (f"For a release that leaves {found.key} as it is krmfn takes another way, or says what to do.",)
    )
    yield Entry(found.mode, (said, *more))


def finding(result: "Result", rollout: "Ref") -> Entry:
    """Return what was found, under the name of its place."""
    other = str(result.ref) if result.ref and result.ref.key != rollout.key else ""
    return Entry(" ".join(filter(None, (other, result.field))), (result.message,))


def _count(pods: int, side: str = "") -> str:
    return f"{pods} {side}pod{'' if pods == 1 else 's'}"
