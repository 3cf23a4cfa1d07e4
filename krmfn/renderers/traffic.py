"""The routes: each is written by its provider, a script that is given one manifest and one stage."""

from krmfn import lua
from krmfn.brief import brief
from krmfn.changes import GONE
from krmfn.errors import KrmfnError
from krmfn.isolation import canary_template, labels
from krmfn.kinds import COMPANIONS, carried
from krmfn.krm import load, same
from krmfn.plan import EXACT, PREFIX, Route, Traffic
from krmfn.results import Refused, Result, errors
from krmfn.scene import bare
from krmfn.stage import STABLE, TARGET
from krmfn.state import fingerprint
from krmfn.view import Added, Edited, View

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from krmfn.krm import Item
    from krmfn.krm.item import Manifest
    from krmfn.plan import Match

# A script in the package wins over ours, whatever ConfigMap it is in.
SCRIPTS = "lua.traffic.routing."
TYPES = {EXACT: "exact", PREFIX: "prefix"}


def render(view: View) -> "Iterator[Added | Edited]":
    """Yield what each provider makes of the stage. Raises KrmfnError for what it cannot express."""
    for route in view.plan.routes:
        item = view.scene.route(view.plan, route, view.workload.ref.namespace)
        script = _script(view, route)
        if view.stage.traffic is None:
            continue
        _check(script, view)
        given = bare(view.scene.standing.get(item.mark, item).value)
        try:
            manifests = lua.render(script, given, _brief(view.stage.traffic, route, view))
        except KrmfnError as problem:
            raise Refused(_of(item, found) for found in errors(problem)) from problem
        for manifest in manifests:
            yield from _placed(manifest, given, item, (route, view))


def _of(item: "Item", found: Result) -> KrmfnError:
    if found.ref and (found.ref.kind, found.ref.name) != (item.ref.kind, item.ref.name):  # an object beside the route
        return KrmfnError(found.message, ref=found.ref, field=found.field)
    return KrmfnError(found.message, ref=item.ref, field=found.field, file=item.path)


def needs(traffic: Traffic) -> "dict[str, str]":
    """Return the features that a provider must have to express the traffic, each with the words for a message."""
    found: dict[str, str] = {}
    if traffic.weight or (traffic.weight is not None and not traffic.matches):
        feature, words = ("weight+matches", "a weight beside matches") if traffic.matches else ("weight", "a weight")
        found[feature] = words
    if len(traffic.matches) > 1:
        found["matches.many"] = "several matches, of which any may hold"
    if traffic.modifier:
        found["headerModifier"] = "changed request headers"
    if traffic.sticky:
        found["cookie.sticky"] = "visitors who stay with the canary"
    mirrored = traffic.mirror.matches if traffic.mirror else ()
    if traffic.mirror:
        feature, words = ("mirror.matches", "copies of some requests") if mirrored else ("mirror", "copies of requests")
        found[feature] = words
    for match in (*traffic.matches, *mirrored):
        found |= _conditions(match)
    return found


def _conditions(match: "Match") -> "dict[str, str]":
    found: dict[str, str] = {}
    if len(match.conditions) + bool(match.path) > 1:
        found["conditions.many"] = "several conditions in one match, which all have to hold"
    for one in match.conditions:
        what = one.name or one.value
        found[f"{one.part}.{TYPES.get(one.type, 'regex')}"] = f"a {one.part} that matches ({one.type} {what})"
    if match.path:
        found[f"path.{TYPES.get(match.path[0], 'regex')}"] = f"a path that matches ({match.path[0]} {match.path[1]})"
    return found


def _script(view: View, route: Route) -> "lua.Script":
    for item in view.scene.of_kind("", "ConfigMap", SCRIPTS):
        if found := lua.from_config(item.value.get("data") or {}, route.group, route.kind, route.variant):
            return found
    if found := lua.find(route.group, route.kind, route.variant):
        return found
    variant = f" of class {route.variant!r}" if route.variant else ""
    message = (
        f"there is no provider for {route.kind}.{route.group}{variant}; bring a script in a ConfigMap, key {SCRIPTS}…"
    )
    raise KrmfnError(message, ref=view.plan.rollout, field=route.field)


def _check(script: "lua.Script", view: View) -> None:
    for step in view.plan.steps:
        if step.traffic.mirror and not script.trusted:
            message = f"asks for {step.traffic.mirror}, and a script such as {script.name} cannot be told of copies"
            raise KrmfnError(message, ref=view.plan.rollout, field=step.field)
        for feature, words in needs(step.traffic).items() if script.trusted else ():
            if feature not in script.supports:
                message = (
                    f"the provider {script.name} cannot express {words}; it can: {', '.join(sorted(script.supports))}"
                )
                raise KrmfnError(message, ref=view.plan.rollout, field=step.field)


def _mark(view: View, side: str) -> str:
    """Return the value of a side's cookie: the same in every run, another in every release.

    That of the stable side, too: whoever it has kept from one version may get the next.
    """
    revisions = (load(view.text(revision)) for revision in (STABLE, TARGET))
    return fingerprint([side, str(view.plan.rollout), *revisions], 8)


def _brief(traffic: Traffic, route: Route, view: View) -> "Manifest":
    own = {view.isolation.key: view.isolation.canary} if view.isolation.relabels or view.isolation.pins else {}
    pods = {"labels": dict(view.plan.pod_labels) | own, "annotations": dict(view.plan.pod_annotations)}
    marks = (_mark(view, STABLE), _mark(view, TARGET)) if traffic.sticky else ("", "")
    told = brief(traffic, route.services, route.canary or f"{route.name}-canary", pods, marks)
    if route.services.stable == route.services.canary:
        told["beside"], told["pods"] = list(_beside(route, view)), _sides(view)
    return told | dict(route.told) | _pods(view)


def _beside(route: Route, view: View) -> "Iterator[Manifest]":
    """Yield the rollout's other routes, and what says which pods a subset is where it does not name that itself."""
    namespace, kind = view.workload.ref.namespace, COMPANIONS.get((route.group, route.kind), "")
    others = [other for other in view.plan.routes if other is not route]
    for other in others:
        yield {"named": True, "manifest": bare(view.scene.route(view.plan, other, namespace).value)}
    if kind and all(other.kind != kind for other in others):
        for item in view.scene.of_kind(route.group, kind):
            if item.ref.namespace == namespace:
                yield {"named": False, "manifest": bare(item.value)}


def _sides(view: View) -> "Manifest":
    """Return the labels of the pods of both sides, and those of the stable side from promote on."""
    canary = labels(canary_template(load(view.text(TARGET)), view.isolation, view.plan))
    return {"stable": labels(view.template(STABLE)), "promoted": labels(view.template(TARGET)), "canary": canary}


def _pods(view: View) -> "Manifest":
    """Return what tells the pods of both sides apart: for a route that chooses pods itself, and for one that owns them.

    Who owns a pod counts when it starts, so ``members`` are there also while either side is the new version; but then
    the stable side's pods may carry the very labels of the canary's, and nothing tells them apart.
    """
    canary, key = labels(canary_template(load(view.text(TARGET)), view.isolation, view.plan)), view.isolation.key
    stable = view.isolation.stable if view.stage.pinned else labels(view.template(view.stage.template)).get(key, "")
    own = {key: stable} if view.isolation.pins and stable else {}
    found: Manifest = {} if stable == canary.get(key) else {"members": {"stable": own, "canary": canary}}
    if view.stage.pinned:
        found |= {"canaryPods": canary} | ({"stableLabels": own} if view.isolation.pins else {})
    return found


def _edited(manifest: "Manifest", given: "Manifest", item: "Item") -> "Iterator[Edited]":
    """Yield the fields of the author's route that the provider changed: of its spec, else whole metadata maps."""
    for top, keys in (("spec", None), ("metadata", ("labels", "annotations"))):
        before, after = given.get(top) or {}, manifest.get(top) or {}
        for key in keys or dict.fromkeys((*before, *after)):
            if not same(before.get(key), after.get(key)):
                yield Edited(item, (top, key), after.get(key, GONE))


def _placed(
    manifest: "Manifest", given: "Manifest", item: "Item", of: tuple[Route, View]
) -> "Iterator[Added | Edited]":
    metadata = manifest.get("metadata") or {}
    if manifest.get("kind") == given.get("kind") and metadata.get("name") == item.ref.name:
        yield from _edited(manifest, given, item)
        return
    route, view = of
    kept = view.owned(carried(metadata))
    if route.annotations:
        kept["annotations"] = (kept.get("annotations") or {}) | dict(route.annotations)
    yield Added(manifest | {"metadata": {"name": metadata["name"]} | kept}, item)
