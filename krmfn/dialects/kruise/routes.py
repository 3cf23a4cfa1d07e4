"""The Services and routes of a Rollout, its own or those of a TrafficRouting."""

from krmfn.dialects.kruise.known import RULE
from krmfn.dialects.kruise.reader import ALPHA, GROUP
from krmfn.dialects.kruise.steps import ALL, match, modifier
from krmfn.fields import Fields
from krmfn.frozen import Value
from krmfn.known import check
from krmfn.krm.item import Ref
from krmfn.plan import Pair, Route, Traffic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from krmfn.dialects.kruise.reader import Reader

ROUTING = f"{GROUP}/trafficrouting"


class Routing(Value):
    """Where the requests of a rollout go.

    ``rule`` holds at every step where a TrafficRouting, ``ref``, says so; else each step has its own.
    """

    services: tuple[Pair, ...] = ()
    routes: tuple[Route, ...] = ()
    rule: Traffic | None = None
    ref: Ref | None = None


def routings(reader: "Reader") -> Routing:
    """Return the routing of a rollout: its own, or a TrafficRouting's, which has one rule for all steps."""
    found = list(reader.strategy.sequence("trafficRoutings"))
    if len(found) > 1:
        found[1].problem("is a second entry; Kruise takes one, so put all routes into the first")
    place, name = _named(reader)
    if name and found:
        place.problem(f"names the TrafficRouting {name}, beside trafficRoutings of the rollout's own; keep one of them")
    elif name:
        return _traffic_routing(reader, place, name)
    own = not reader.strategy.flag("disableGenerateCanaryService")
    return Routing(*_entry(found[0], own=own)) if found else Routing()


def _named(reader: "Reader") -> tuple[Fields, str]:
    """Return the name of a TrafficRouting, and where it stands: in the field, or in the annotation of the older API."""
    key = "trafficRoutingRef"
    if name := reader.strategy.text(key):
        return reader.strategy.at(key), name
    return reader.annotations.at(ROUTING), reader.annotations.text(ROUTING)


def _traffic_routing(reader: "Reader", named: Fields, name: str) -> Routing:
    by = reader.top.ref or Ref("", "", "", "")
    ref = Ref(f"{GROUP}/{ALPHA}", "TrafficRouting", by.namespace, name)
    place = Fields(reader.scene.require(ref, by, named.path).value, ref)
    place.problems = reader.top.problems
    spec = place.mapping("spec", required=True)
    check(spec, RULE)
    rule = spec.mapping("strategy", required=True)
    weight, matches = rule.whole("weight", 0, ALL), tuple(match(entry) for entry in rule.sequence("matches"))
    if matches and weight is not None:
        reader.remark(rule, "has a weight beside matches; the matches win, and the rest goes to the stable side")
        weight = None
    entries = list(spec.sequence("objectRef"))
    if not entries:
        spec.at("objectRef").problem("names no Service and no route")
    for other in entries[1:]:
        other.problem("is a second entry; Kruise takes one, so put all routes into the first")
    pairs, routes = _entry(entries[0], own=False) if entries else ((), ())
    return Routing(pairs, routes, Traffic(weight, matches, modifier(rule.mapping("requestHeaderModifier"))), ref)


def _entry(place: Fields, *, own: bool) -> tuple[tuple[Pair, ...], tuple[Route, ...]]:
    service = place.text("service", required=True)
    if place.has("createCanaryService"):
        own = place.flag("createCanaryService")
    place.whole("gracePeriodSeconds")
    pair = Pair(service, f"{service}-canary" if own else service, f"{place.path}.service")
    routes = tuple(_routes(place, pair))
    if not routes:
        place.problem("names no route; add ingress, gateway or customNetworkRefs")
    return (pair,), routes


def _routes(place: Fields, pair: Pair) -> "Iterator[Route]":
    if ingress := place.mapping("ingress"):
        variant = ingress.text("classType", "nginx")
        name = ingress.text("name", required=True)
        yield Route("networking.k8s.io", "Ingress", name, variant, pair, f"{ingress.path}.name")
    if gateway := place.mapping("gateway"):
        name = gateway.text("httpRouteName", required=True)
        yield Route("gateway.networking.k8s.io", "HTTPRoute", name, "", pair, f"{gateway.path}.httpRouteName")
    for key in ("customNetworkRefs", "networkRefs"):
        for entry in place.sequence(key):
            group = entry.text("apiVersion", required=True).rpartition("/")[0]
            kind, name = entry.text("kind", required=True), entry.text("name", required=True)
            yield Route(group, kind, name, "", pair, f"{entry.path}.name")
