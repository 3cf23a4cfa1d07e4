"""The Services and routes of a Rollout, its own or those of a TrafficRouting."""

from krmfn.dialects.kruise.reader import ALPHA, GROUP
from krmfn.dialects.kruise.steps import ALL, match, modifier
from krmfn.fields import Fields
from krmfn.krm.item import Ref
from krmfn.plan import Pair, Route, Traffic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from krmfn.dialects.kruise.reader import Reader

ROUTING = f"{GROUP}/trafficrouting"


def routings(reader: "Reader") -> tuple[tuple[Pair, ...], tuple[Route, ...], Traffic | None]:
    """Return the Services and routes, and the rule of a TrafficRouting, which is the same at every step."""
    found = list(reader.strategy.sequence("trafficRoutings"))
    if len(found) > 1:
        found[1].problem("is a second entry; Kruise takes one, so put all routes into the first")
    name = reader.annotations.text(ROUTING)
    if name and not found:
        return _traffic_routing(reader, name)
    own = not reader.strategy.flag("disableGenerateCanaryService")
    pairs, routes = _entry(found[0], own=own) if found else ((), ())
    return pairs, routes, None


def _traffic_routing(reader: "Reader", name: str) -> tuple[tuple[Pair, ...], tuple[Route, ...], Traffic]:
    by = reader.top.ref or Ref("", "", "", "")
    ref = Ref(f"{GROUP}/{ALPHA}", "TrafficRouting", by.namespace, name)
    place = Fields(reader.scene.require(ref, by, f'metadata.annotations["{ROUTING}"]').value, ref)
    place.problems = reader.top.problems
    spec = place.mapping("spec", required=True)
    rule = spec.mapping("strategy", required=True)
    weight, matches = rule.whole("weight", 0, ALL), tuple(match(entry) for entry in rule.sequence("matches"))
    traffic = Traffic(
        None if matches else weight,
        matches,
        modifier(rule.mapping("requestHeaderModifier")),
    )
    entries = list(spec.sequence("objectRef"))
    if not entries:
        spec.at("objectRef").problem("names no Service and no route")
    pairs, routes = _entry(entries[0], own=False) if entries else ((), ())
    return pairs, routes, traffic


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
