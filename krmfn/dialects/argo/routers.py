"""The routers: which objects divide requests between which Services."""

from krmfn.dialects.argo.gateway import gateway
from krmfn.dialects.argo.istio import istio
from krmfn.dialects.argo.meshes import ambassador, apisix, app_mesh, smi, traefik
from krmfn.dialects.argo.nginx import alb, asked, nginx
from krmfn.frozen import Value
from krmfn.plan import Match, Pair, Route

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from krmfn.dialects.argo.reader import Reader
    from krmfn.krm.item import Manifest

    Router = Callable[[Reader, Pair], Iterator[Route]]

ROUTERS: "dict[str, Router]" = {
    "alb": alb,
    "ambassador": ambassador,
    "apisix": apisix,
    "appMesh": app_mesh,
    "istio": istio,
    "nginx": nginx,
    "plugins": gateway,
    "smi": smi,
    "traefik": traefik,
}
SETTINGS = ("managedRoutes", "maxTrafficWeight")
SHARING = ("alb", "istio", "plugins")
NEEDED = "Canary service and Stable service must to be set to use Traffic Routing"


class Found(Value):
    """The Services, the routes, what is made for them, and what a router's own annotations ask for all along.

    ``apart`` says that each Service reaches its own side, whether or not requests are divided.
    """

    services: tuple[Pair, ...] = ()
    routes: tuple[Route, ...] = ()
    makes: "tuple[Manifest, ...]" = ()
    matches: tuple[Match, ...] = ()
    apart: bool = False


def routers(reader: "Reader") -> Found:
    """Return the Services and the routes."""
    pair = _pair(reader)
    if not reader.routing:
        return Found((pair,) if pair.stable or pair.canary else (), apart=bool(pair.stable))
    used = [key for key in reader.routing.names() if reader.routing.has(key) and key not in SETTINGS]
    if not used:
        reader.routing.problem(f"names no router; add one of {', '.join(ROUTERS)}")
    if reader.routing.has("maxTrafficWeight") and not {"nginx", "plugins"} >= set(used):
        reader.routing.at("maxTrafficWeight").problem("MaxTrafficWeight only supported in Nginx and Plugins")
    found: dict[tuple[str, str], Route] = {}
    for key in filter(ROUTERS.__contains__, used):
        for route in ROUTERS[key](reader, pair):
            # A selector may find what has been named already.
            found.setdefault((route.kind, route.name), route)
    _check(reader, pair, used)
    routes = tuple(found.values())
    shared = dict.fromkeys(route.services for route in routes if route.services.stable == route.services.canary)
    services = (*((pair,) if pair.stable else ()), *shared)
    return Found(services, routes, tuple(reader.makes), tuple(asked(reader)))


def _pair(reader: "Reader") -> Pair:
    """Return the author's two Services, of which none or one may be missing."""
    canary, stable = (reader.service(reader.canary, f"{side}Service") for side in ("canary", "stable"))
    if canary and canary == stable:
        message = "This rollout uses the same service for the stable and canary services, but two different services "
        reader.canary.at("canaryService").problem(f"{message}are required.")
    path = reader.canary.path
    if ping_pong := reader.canary.mapping("pingPong"):
        if canary or stable:
            ping_pong.problem("names two Services beside canaryService and stableService; leave those out")
        # Who is first is what the controller's status says; while that says nothing, ping is the canary's.
        canary, stable = (reader.service(ping_pong, f"{side}Service") for side in ("ping", "pong"))
        if not canary or not stable:
            ping_pong.problem("Ping service and Pong service must to be set to use Ping-Pong feature")
        if canary and canary == stable:
            message = "This rollout uses the same service for the ping and pong services, but two different services "
            ping_pong.at("pongService").problem(f"{message}are required.")
        return Pair(stable, canary, f"{ping_pong.path}.pongService", f"{ping_pong.path}.pingService")
    return Pair(stable, canary, f"{path}.stableService" if stable else "", f"{path}.canaryService" if canary else "")


def _check(reader: "Reader", pair: Pair, used: list[str]) -> None:
    """Refuse routers that miss the Services which they divide requests between."""
    subsets = used == ["istio"] and reader.routing.mapping("istio").has("destinationRule")
    if not subsets and not (pair.stable and pair.canary) and not reader.canary.has("pingPong"):
        reader.canary.problem(NEEDED)
    if reader.canary.has("pingPong") and not set(SHARING) >= set(used):
        message = f"Ping-pong feature works with {', '.join(SHARING)} only"
        reader.canary.at("pingPong").problem(message)
    if reader.canary.has("pingPong") and "alb" in used and not reader.routing.mapping("alb").has("rootService"):
        message = "Root service field is required for the configuration with ALB and ping-pong feature enabled"
        reader.routing.at("alb").problem(message)
