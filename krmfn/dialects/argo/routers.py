"""The routers: which objects divide requests between which Services."""

from krmfn.dialects.argo.istio import either, istio
from krmfn.plan import EXACT, REGEX, Condition, Match, Pair, Route
from krmfn.results import WARNING, Result

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from krmfn.dialects.argo.reader import Reader
    from krmfn.fields import Fields

    Found = tuple[tuple[Pair, ...], tuple[Route, ...], tuple[Match, ...]]

NGINX = "nginx.ingress.kubernetes.io"
GATEWAY = "argoproj-labs/gatewayAPI"
KNOWN = ("nginx", "istio", "plugins")
SETTINGS = ("managedRoutes", "maxTrafficWeight")
ROUTES = {"http": "HTTPRoute", "grpc": "GRPCRoute", "tcp": "TCPRoute", "tls": "TLSRoute"}
# What the controller always writes itself.
OWN = ("canary", "canary-weight", "canary-weight-total")
ASKS = ("canary-by-header", "canary-by-header-value", "canary-by-header-pattern", "canary-by-cookie")
LONGEST = 246


def routers(reader: "Reader") -> "Found":
    """Return the Services, the routes, and what an Ingress asks for by annotations for as long as there is a canary."""
    if not reader.routing:
        for key in ("canaryService", "stableService"):
            if reader.canary.has(key):
                message = (
                    "is not rendered without a trafficRouting; add one, or leave it out and let requests follow pods"
                )
                reader.canary.at(key).problem(message)
        return (), (), ()
    pair = _pair(reader)
    written = reader.routing.value if isinstance(reader.routing.value, dict) else {}
    used = [key for key in written if reader.routing.has(key) and key not in SETTINGS]
    if not used:
        reader.routing.problem(f"names no router; add one of {', '.join(KNOWN)}")
    for key in used:
        if key not in KNOWN:
            reader.routing.at(key).problem(f"is not rendered; that can be: {', '.join(KNOWN)}")
    if reader.routing.has("maxTrafficWeight") and not {"nginx", "plugins"} >= set(used):
        reader.routing.at("maxTrafficWeight").problem("MaxTrafficWeight only supported in Nginx and Plugins")
    matches, nginx = _nginx(reader, pair) if reader.routing.has("nginx") else ((), ())
    routes = (*nginx, *istio(reader, pair), *_gateway(reader, pair))
    return (pair,), routes, matches


def _pair(reader: "Reader") -> Pair:
    canary, stable = reader.canary.text("canaryService"), reader.canary.text("stableService")
    if not canary or not stable:
        reader.canary.problem("Canary service and Stable service must to be set to use Traffic Routing")
    elif canary == stable:
        message = "This rollout uses the same service for the stable and canary services, but two different services "
        reader.canary.at("canaryService").problem(f"{message}are required.")
    path = reader.canary.path
    return Pair(stable, canary, f"{path}.stableService", f"{path}.canaryService")


def _nginx(reader: "Reader", pair: Pair) -> "tuple[tuple[Match, ...], tuple[Route, ...]]":
    place = reader.routing.mapping("nginx")
    if place.text("annotationPrefix", NGINX) != NGINX:
        place.at("annotationPrefix").problem(f"is not rendered; the annotations begin with {NGINX}")
    more = place.labels("additionalIngressAnnotations")
    prefixed = {k if k.startswith(f"{NGINX}/") else f"{NGINX}/{k}": v for k, v in more.items()}
    written = prefixed | place.labels("canaryIngressAnnotations")
    asked = {key: written.pop(f"{NGINX}/{key}", "") for key in (*ASKS, *OWN)}
    routes = []
    for entry in either(place, "stableIngress", "stableIngresses"):
        name = str(entry.value)
        canary = f"{f'{reader.name}-{name}'[:LONGEST]}-canary"
        kept = tuple(written.items())
        routes.append(Route("networking.k8s.io", "Ingress", name, "nginx", pair, entry.path, canary, kept))
    return tuple(_asked(asked, place, reader)), tuple(routes)


def _asked(asked: dict[str, str], place: "Fields", reader: "Reader") -> "Iterator[Match]":
    """Yield what annotations on the canary's Ingress ask of a request, besides the weight."""
    name, value, pattern, cookie = (asked[key] for key in ASKS)
    if name and not value and not pattern:
        message = f"sends requests with {name}: always to the canary; those with {name}: never are not kept out of the"
        reader.remarks.append(Result(WARNING, f"{message} weight", place.ref, place.path))
    if name:
        kind = REGEX if pattern and not value else EXACT
        yield Match((Condition("header", name, value or pattern or "always", kind),))
    if cookie:
        yield Match((Condition("cookie", cookie, "always"),))


def _gateway(reader: "Reader", pair: Pair) -> "Iterator[Route]":
    plugins = reader.routing.mapping("plugins")
    for key in plugins.value if isinstance(plugins.value, dict) else ():
        if key != GATEWAY:
            plugins.at(key).problem(f"is not rendered; that can be: {GATEWAY}")
    place = plugins.mapping(GATEWAY)
    if not place:
        return
    if place.text("namespace", reader.namespace) != reader.namespace:
        place.at("namespace").problem("is another one; a route has to be in the namespace of the Rollout")
    found = [route for key, kind in ROUTES.items() for route in _kind(place, (key, kind), pair)]
    if not found:
        place.problem("names no route; add httpRoute, httpRoutes, grpcRoute or grpcRoutes")
    yield from found


def _kind(place: "Fields", of: tuple[str, str], pair: Pair) -> "Iterator[Route]":
    key, kind = of
    group = "gateway.networking.k8s.io"
    if place.has(f"{key}RouteSelector"):
        place.at(f"{key}RouteSelector").problem("is not rendered; name each route")
    if place.has(f"{key}Route"):
        yield Route(group, kind, place.text(f"{key}Route"), "", pair, f"{place.path}.{key}Route")
    for entry in place.sequence(f"{key}Routes"):
        yield Route(group, kind, entry.text("name", required=True), "", pair, f"{entry.path}.name")
