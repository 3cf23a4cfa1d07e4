"""Order within one commit, for whoever applies all of it at once: first the pods, and when they are ready the routes.

One host applies objects by waves, each when the one before is healthy, and prunes in the end what asks for it; another
applies a folder when the one that it depends on is ready. Either way a commit may hold a whole step, and no request
goes to a Service without ready pods. Services go with the pods, since a pin comes no later than the pods that it keeps
out. Waves also take a commit back to 0: routes are pruned before the pods, which ask to be the last. Folders do not.
Sources: "Sync Phases and Waves" and "Sync Options"; Flux, "Kustomization" (dependsOn, wait, healthChecks).
"""

from krmfn.config import PIN, ROLLOUT
from krmfn.errors import KrmfnError
from krmfn.isolation import short
from krmfn.kinds import PRUNE_LAST, WAVE
from krmfn.krm.item import Ref
from krmfn.view import Added, Edited

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from krmfn.krm import Item
    from krmfn.krm.item import Manifest
    from krmfn.results import Result
    from krmfn.view import View

_ANNOTATIONS = ("metadata", "annotations")


def waves(outputs: "Iterable[Added | Edited | Result]", view: "View") -> "Iterator[Added | Edited | Result]":
    """Yield what the renderers made, with the waves in which it is to be applied; nothing is added without a canary.

    Raises KrmfnError where the author's own waves are in another order.
    """
    if view.stage.canary is None:
        yield from outputs
        return
    first = _wave(view.workload)
    behind = {item.mark: item for item in _last(view)}
    for output in outputs:
        if isinstance(output, Added):
            leads_there = output.source.mark in behind and bool(view.plan.routes)
            yield output.replace(manifest=_annotated(output.manifest, first, leads=leads_there))
        else:
            yield output
    for item in behind.values():
        own = _wave(item)
        if own is None:
            yield Edited(item, (*_ANNOTATIONS, WAVE), str((first or 0) + 1))
        elif own <= (first or 0):
            message = (
                f"has to be applied after {view.workload.ref}, whose wave is {first or 0}; leave it out, or raise it"
            )
            raise KrmfnError(message, ref=item.ref, field=f'metadata.annotations["{WAVE}"]', file=item.path)


def _last(view: "View") -> "Iterator[Item]":
    """Yield what leads requests to the pods: the routes, or else the Services themselves."""
    namespace = view.workload.ref.namespace
    for route in view.plan.routes:
        found = view.scene.route(view.plan, route, namespace)
        if found.ref.key != view.workload.ref.key:
            yield found
    for pair in view.plan.services if not view.plan.routes else ():
        for name in (pair.stable, pair.canary) if pair.given else (pair.stable,):
            if item := view.scene.lookup(Ref("v1", "Service", namespace, name)):
                yield item


def _wave(item: "Item") -> int | None:
    """Return the wave that the author wrote. Raises KrmfnError where it is no number."""
    text = _annotations(item.value).get(WAVE)
    try:
        return None if text is None else int(text)
    except ValueError as problem:
        message = f"{text!r} is no whole number"
        raise KrmfnError(message, ref=item.ref, field=f'metadata.annotations["{WAVE}"]', file=item.path) from problem


def _annotated(manifest: "Manifest", first: int | None, *, leads: bool) -> "Manifest":
    """Return an added object with its wave: a route comes behind the pods, and goes before them."""
    annotations = dict(_annotations(manifest))
    if leads:
        annotations[WAVE] = str((first or 0) + 1)
    elif first is not None:
        annotations[WAVE] = str(first)
    for key, option in PRUNE_LAST.items() if not leads else ():
        annotations[key] = ",".join(filter(None, (annotations.get(key), option)))
    return manifest | {"metadata": manifest["metadata"] | {"annotations": annotations}}


def _annotations(manifest: "Manifest") -> "dict[str, Any]":
    return (manifest.get("metadata") or {}).get("annotations") or {}


def leads(item: "Item", views: "Iterable[View]") -> bool:
    """Tell whether an object leads requests to pods, at any position: a route, or without routes a Service."""
    return any(_is_route(item, view) if view.plan.routes else _is_service(item, view) for view in views)


def _is_service(item: "Item", view: "View") -> bool:
    names = {name for pair in view.plan.services for name in (pair.stable, pair.canary)}
    wanted = item.ref.name in names or _ours(item, view) or _annotations(item.value).get(PIN) == "true"
    return (item.ref.group, item.ref.kind) == ("", "Service") and wanted


def _is_route(item: "Item", view: "View") -> bool:
    routes = {(route.group, route.kind, route.name) for route in view.plan.routes}
    kinds = {(group, kind) for group, kind, _ in routes}
    kind = (item.ref.group, item.ref.kind)
    if item.ref.key == view.workload.ref.key:
        return False
    return (*kind, item.ref.name) in routes or (kind in kinds and _ours(item, view))


def _ours(item: "Item", view: "View") -> bool:
    labels = (item.value.get("metadata") or {}).get("labels") or {}
    return bool(labels.get(ROLLOUT) == short(view.plan.rollout.name))
