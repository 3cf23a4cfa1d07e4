"""The Services: one for the canary, and the author's pinned to the stable side while traffic is divided."""

from krmfn.config import PIN, RENAME
from krmfn.isolation import ALL, LIMIT, labels, service_selector, short
from krmfn.kinds import OWN_SERVICE
from krmfn.krm import load
from krmfn.krm.item import Ref
from krmfn.plan import DRAIN, SHIFT
from krmfn.results import WARNING, Result
from krmfn.scaling import renewal
from krmfn.selectors import matches
from krmfn.view import Added, Edited, View

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from krmfn.krm import Item
    from krmfn.krm.item import Manifest
    from krmfn.plan import Pair

SELECTOR = ("spec", "selector")


def render(view: View) -> "Iterator[Added | Edited | Result]":
    """Yield the canary Services and the pins."""
    yield from _bared(view)
    for pair in view.plan.services:
        if not pair.stable:
            yield from _turned(pair, view)
            continue
        item = view.scene.require(
            Ref("v1", "Service", view.workload.ref.namespace, pair.stable), view.plan.rollout, pair.field
        )
        if pair.canary == pair.stable:
            continue
        if pair.given:
            yield from _turned(pair, view)
        elif view.stage.traffic is not None and pair.canary:
            if len(pair.canary) > LIMIT:
                message = f"the Service name {pair.canary!r} would have {len(pair.canary)} characters; it is shortened"
                yield Result(WARNING, message, view.plan.rollout, pair.field)
            yield Added(_canary(item, short(pair.canary), view), item)
        yield from _led(item, view) if view.switched else _pinned(item, view)
    for item in also_pinned(view):
        yield from _pinned(item, view)


def _bared(view: View) -> "Iterator[Result]":
    """Warn where the stable side is to answer requests while it may have no pods to do so."""
    traffic = view.stage.traffic
    if view.isolation.mode != RENAME or traffic is None or traffic.weight == ALL or not view.bared:
        return
    if view.position.half in (SHIFT, DRAIN):
        return
    message = (
        "may leave it without a ready pod while it takes the new template, and the stable side still gets requests "
        f"then; use a rolling update with maxUnavailable: 0 and maxSurge: 1, or a last step of {ALL}%"
    )
    yield Result(WARNING, message, view.workload.ref, renewal(view.workload), view.workload.path)


def also_pinned(view: View) -> "Iterator[Item]":
    """Yield the other Services that their author wants pinned."""
    named = {name for pair in view.plan.services for name in (pair.stable, pair.canary)}
    for item in view.scene.of_kind("", "Service", PIN):
        annotations = (item.value.get("metadata") or {}).get("annotations") or {}
        same_place = item.ref.namespace == view.workload.ref.namespace and item.ref.name not in named
        if same_place and annotations.get(PIN) == "true" and _selects(item, view):
            yield item


def _selects(item: "Item", view: View) -> bool:
    selector = (item.value.get("spec") or {}).get("selector") or {}
    return bool(selector) and matches(selector, labels(load(view.revisions.stable)))


def _pinned(item: "Item", view: View) -> "Iterator[Edited]":
    if view.stage.pinned and view.isolation.pins:
        selector = item.value["spec"]["selector"]
        yield Edited(item, SELECTOR, service_selector(selector, view.isolation, canary=False))


def _turned(pair: "Pair", view: View) -> "Iterator[Edited]":
    """Yield the selector of a canary's Service that the author has: where it leads nowhere else, to the stable side."""
    ref = Ref("v1", "Service", view.workload.ref.namespace, pair.canary)
    item = view.scene.require(ref, view.plan.rollout, pair.given)
    yield from _led(item, view) if view.stage.opened else _pinned(item, view)


def _led(item: "Item", view: View) -> "Iterator[Edited]":
    """Yield the selector of a Service that leads to the canary."""
    yield Edited(item, SELECTOR, service_selector(item.value["spec"]["selector"], view.isolation, canary=True))


def _reached_by(spec: "Manifest") -> tuple[str, ...]:
    """Return the fields that say how a Service is reached: a router that goes to the ports of nodes needs them."""
    return ("type", "externalTrafficPolicy") if spec.get("type") == "NodePort" else ()


def _canary(item: "Item", name: str, view: View) -> "Manifest":
    source = item.value
    spec = {k: v for k, v in source["spec"].items() if k not in OWN_SERVICE or k in _reached_by(source["spec"])}
    spec["ports"] = [{k: v for k, v in port.items() if k != "nodePort"} for port in spec.get("ports") or ()]
    spec["selector"] = service_selector(spec["selector"], view.isolation, canary=True)
    return view.copied(source, name, spec)
