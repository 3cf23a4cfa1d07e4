"""The plugin for the Gateway API as a router: routes by name, or by a label selector."""

from krmfn.plan import Route
from krmfn.selectors import chooses
from krmfn.shapes import SELECTOR, check_place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from krmfn.dialects.argo.reader import Reader
    from krmfn.fields import Fields
    from krmfn.plan import Pair

PLUGIN = "argoproj-labs/gatewayAPI"
GROUP = "gateway.networking.k8s.io"
ROUTES = {"http": "HTTPRoute", "grpc": "GRPCRoute", "tcp": "TCPRoute", "tls": "TLSRoute"}
HEADERS = ("http", "grpc")


def gateway(reader: "Reader", pair: "Pair") -> "Iterator[Route]":
    """Yield each route of the Gateway API."""
    plugins = reader.routing.mapping("plugins")
    for key in plugins.names():
        if key != PLUGIN:
            plugins.at(key).problem(f"is not rendered; that can be: {PLUGIN}")
    place = plugins.mapping(PLUGIN)
    if not place:
        return
    if place.text("namespace", reader.namespace) != reader.namespace:
        place.at("namespace").problem("is another one; a route has to be in the namespace of the Rollout")
    found = [route for key in ROUTES for route in _kind(reader, place, key, pair)]
    if not found:
        place.problem("names no route; add httpRoutes, grpcRoutes, tcpRoutes or tlsRoutes")
    yield from found


def _kind(reader: "Reader", place: "Fields", key: str, pair: "Pair") -> "Iterator[Route]":
    kind = ROUTES[key]
    if place.has(f"{key}Route"):
        yield Route(GROUP, kind, place.text(f"{key}Route"), "", pair, f"{place.path}.{key}Route")
    for entry in place.sequence(f"{key}Routes"):
        if key in HEADERS and reader.sets_headers and not entry.flag("useHeaderRoutes"):
            message = "has to be true: the steps set header routes, and those are the same for all routes"
            entry.at("useHeaderRoutes").problem(message)
        yield Route(GROUP, kind, entry.text("name", required=True), "", pair, f"{entry.path}.name")
    if selector := place.mapping(f"{key}RouteSelector"):
        yield from _selected(reader, selector, kind, pair)


def _selected(reader: "Reader", selector: "Fields", kind: str, pair: "Pair") -> "Iterator[Route]":
    if not check_place(selector, SELECTOR):
        return
    found = 0
    for item in reader.scene.of_kind(GROUP, kind):
        there = (item.value.get("metadata") or {}).get("labels") or {}
        if item.ref.namespace == reader.namespace and chooses(dict(selector.value or {}), there):  # type: ignore[call-overload]
            found += 1
            if not item.ref.name:
                selector.problem(f"selects a {kind} that has no name; give it one, as metadata.name")
            yield Route(GROUP, kind, item.ref.name, "", pair, selector.path)
    if not found:
        selector.problem(f"selects no {kind} of the package")
