"""Istio as a router: which rules of a VirtualService the author wants divided, and whether they can be."""

from krmfn.fields import Fields
from krmfn.krm.item import Ref
from krmfn.plan import Route

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from krmfn.dialects.argo.reader import Reader
    from krmfn.plan import Pair

GROUP, KIND = "networking.istio.io", "VirtualService"


def istio(reader: "Reader", pair: "Pair") -> "Iterator[Route]":
    """Yield each VirtualService."""
    place = reader.routing.mapping("istio")
    if not place:
        return
    if place.has("destinationRule"):
        message = "is not rendered yet: give each side a Service (host-level splitting) and leave the subsets out"
        place.at("destinationRule").problem(message)
    for entry in either(place, "virtualService", "virtualServices"):
        name, _, namespace = entry.text("name", required=True).removesuffix(".cluster.local").partition(".")
        if namespace and namespace != reader.namespace:
            entry.at("name").problem(f"is in namespace {namespace}; a route has to be in that of the Rollout")
        for key in ("tlsRoutes", "tcpRoutes"):
            if entry.has(key):
                entry.at(key).problem("is not rendered; every tls and tcp route to the stable Service is divided")
        if item := reader.scene.lookup(Ref(f"{GROUP}/v1", KIND, reader.namespace, name)):
            _check(entry, list(Fields(item.value, item.ref).mapping("spec").sequence("http")), name, pair)
        yield Route(GROUP, KIND, name, "", pair, f"{entry.path}.name")


def either(place: Fields, one: str, many: str) -> list[Fields]:
    """Return the entries of a list, or the one that stands in its place; both, or none, is a mistake."""
    entries = [*([place.at(one)] if place.has(one) else ()), *place.sequence(many)]
    if place.has(one) == place.has(many) or not entries:
        place.problem(f"needs either {one} or {many}")
    return entries


def _check(entry: Fields, rules: list[Fields], name: str, pair: "Pair") -> None:
    """Hold that the routes named are those that lead to the stable Service, and that each has both Services."""
    written = entry.at("routes").value
    named = [str(route) for route in written] if isinstance(written, list) else []
    there = {rule.text("name") for rule in rules}
    for route in named:
        if route not in there:
            entry.at("routes").problem(f"HTTP Route '{route}' is not found in the defined Virtual Service.")
    leading = [rule for rule in rules if pair.stable in _hosts(rule)]
    if not named and leading[1:]:
        entry.at("routes").problem(f"is required: {len(leading)} http routes of {name} lead to {pair.stable}")
    for rule in leading:
        if named and rule.text("name") not in named:
            message = f"{rule.path} of {name} leads to {pair.stable} as well and is not named; it would be divided too"
            entry.at("routes").problem(message)
    for rule in [rule for rule in rules if rule.text("name") in named] or leading:
        _check_sides(entry, rule, name, pair)


def _check_sides(entry: Fields, rule: Fields, name: str, pair: "Pair") -> None:
    hosts = _hosts(rule)
    for side, service in (("Canary", pair.canary), ("Stable", pair.stable)):
        if service not in hosts:
            entry.problem(f"{side} Service '{service}' not found in route ({rule.path} of {name})")


def _hosts(rule: Fields) -> set[str]:
    found = (entry.mapping("destination").text("host") for entry in rule.sequence("route"))
    return {host.partition(".")[0] for host in found}
