"""Whether the author's objects can be released at all: checked before anything is rendered, all of it at once."""

from krmfn.errors import KrmfnError
from krmfn.isolation import LIMIT, labels
from krmfn.kinds import REVISIONS
from krmfn.krm import load, same
from krmfn.krm.item import Ref
from krmfn.results import Refused
from krmfn.selectors import chooses, matches
from krmfn.stamp import own_name, revision_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from krmfn.krm import Item
    from krmfn.krm.item import Manifest
    from krmfn.plan import Plan
    from krmfn.revisions import Revisions
    from krmfn.scene import Scene

HEADLESS = "is headless: its clients reach pods by DNS, past any route; put a ClusterIP Service before the route"


def check(scene: "Scene", plan: "Plan", workload: "Item", revisions: "Revisions") -> None:
    """Raise ``Refused`` with all that the API server would refuse, or that would leave a Service without pods."""
    pods = labels(load(revisions.stable))
    problems = [*_templates(workload, revisions), *_routes(scene, plan, workload)]
    if plan.style == REVISIONS:
        problems += _names(scene, plan, workload, revisions)
    for pair in plan.services:
        for name, field in ((pair.stable, pair.field), (pair.canary, pair.given)):
            if field:
                problems += _service(scene, plan, workload, ((name, field), pods))
    if problems:
        raise Refused(problems)


def _templates(workload: "Item", revisions: "Revisions") -> "Iterator[KrmfnError]":
    selector = workload.value["spec"].get("selector") or {}
    match = selector.get("matchLabels") or {}
    for name, text in (("stable", revisions.stable), ("target", revisions.target or revisions.stable)):
        found = labels(load(text))
        if not chooses(selector, found):
            wrong = [f"{key}={value}" for key, value in match.items() if found.get(key) != value]
            wanted = wrong[0] if wrong else "label that fits the matchExpressions"
            message = f"the {name} pod template has no {wanted}, which the selector asks for"
            yield KrmfnError(message, ref=workload.ref, field="spec.template.metadata.labels", file=workload.path)
            return


def _names(scene: "Scene", plan: "Plan", workload: "Item", revisions: "Revisions") -> "Iterator[KrmfnError]":
    """Yield what is wrong with the names of revisions: the API server and its webhooks refuse each of these."""
    release = scene.state.release(plan.rollout)
    known: dict[str, Manifest] = {}
    there = (release.previous, release.target) if release else ()
    for text in filter(None, (revisions.stable, *there, revisions.target)):
        template = load(text)
        if message := _misnamed(template, workload.ref.name, known):
            yield KrmfnError(message, ref=workload.ref, field="spec.template.metadata.name", file=workload.path)
            return


def _misnamed(template: "Manifest", workload: str, known: "dict[str, Manifest]") -> str:
    own, name = own_name(template, workload), revision_name(template, workload)
    if not name.startswith(f"{workload}-"):
        return f"is {name}, and the name of a revision has to begin with {workload}-"
    if len(name) > LIMIT:
        advice = "write a shorter one" if own else "write one of your own for each version"
        return f"would be {name}, of {len(name)} characters, and a revision has {LIMIT} at the most; {advice}"
    if own and not same(known.setdefault(own, template), template):
        return f"is {own} for two versions, and a revision never changes; give the new one another name, or none"
    return ""


def _routes(scene: "Scene", plan: "Plan", workload: "Item") -> "Iterator[KrmfnError]":
    for route in plan.routes:
        try:
            scene.route(plan, route, workload.ref.namespace)
        except KrmfnError as problem:
            yield problem


def _service(
    scene: "Scene", plan: "Plan", workload: "Item", found: "tuple[tuple[str, str], dict[str, str]]"
) -> "Iterator[KrmfnError]":
    (name, field), pods = found
    if len(name) > LIMIT:
        message = f"names a Service of {len(name)} characters; Kubernetes allows {LIMIT}, so give it a shorter name"
        yield KrmfnError(message, ref=plan.rollout, field=field)
        return
    try:
        item = scene.require(Ref("v1", "Service", workload.ref.namespace, name), plan.rollout, field)
    except KrmfnError as problem:
        yield problem
        return
    message, field = _wrong(item.value.get("spec") or {}, pods, workload.ref)
    if not message and item.value["spec"].get("clusterIP") == "None" and _divides(plan, name):
        message, field = HEADLESS, "spec.clusterIP"
    if message:
        yield KrmfnError(message, ref=item.ref, field=field, file=item.path)


def _wrong(spec: "Manifest", pods: dict[str, str], workload: Ref) -> tuple[str, str]:
    """Say what is wrong with a Service by which two sides are to be told apart, and in which field."""
    selector = spec.get("selector") or {}
    if spec.get("type") == "ExternalName":
        return (
            "is an ExternalName: it has no pods to divide; name the Service that selects the workload's pods",
            "spec.type",
        )
    if not selector:
        return (
            "has no selector, so it cannot be told which pods it reaches; name the Service that does",
            "spec.selector",
        )
    if not matches(selector, pods):
        wanted = ", ".join(f"{key}={value}" for key, value in selector.items() if pods.get(key) != value)
        message = f"selects {wanted}, which is not on the pods of {workload}; select only what is on them"
        return message, "spec.selector"
    return "", ""


def _divides(plan: "Plan", name: str) -> bool:
    """Tell whether requests for a Service are divided; not where routes do that for what finds pods through it."""
    pairs = [route.services for route in plan.routes if route.services in plan.services]
    return not plan.routes or any(name in (pair.stable, pair.canary) for pair in pairs)
