"""The Services and routes of a release: named by its author, else those that the component's traits make."""

from krmfn.dialects.kubevela.entrances import CLASSES, entrances
from krmfn.dialects.kubevela.gatewayapi import GROUP, TRAITS, routes
from krmfn.dialects.kubevela.reader import only
from krmfn.fields import Fields
from krmfn.plan import Pair, Route

TYPE_CHECKING = False
if TYPE_CHECKING:
    from krmfn.dialects.kubevela.entrances import Entrance
    from krmfn.dialects.kubevela.reader import Component

    Routes = tuple[tuple[Pair, ...], tuple[Route, ...]]

KRUISE = "kruise-rollout"
INGRESS, NGINX, GATEWAY, ALB = "ingress", "nginx", "gateway", "aliyun-alb"
KEYS = ("service", "gracePeriodSeconds", "type", "ingressName", "gatewayHTTPRouteName")


def routings(component: "Component", place: Fields, name: str) -> "Routes":
    """Read the entry of a trait; ``name`` is what everything is called where nothing else is said."""
    found = list(place.sequence("trafficRoutings"))
    if not found:
        return (), ()
    if len(found) > 1:
        found[1].problem("is a second entry; Kruise takes one")
    entry = found[0]
    only(entry, KEYS)
    entry.whole("gracePeriodSeconds")
    kind = entry.text("type", INGRESS, choices=(INGRESS, NGINX, GATEWAY, ALB))
    return _routed(component, entry, (kind, name))


def inferred(component: "Component", place: Fields) -> "Routes":
    """Return what a step of a workflow divides: what the traits beside it make, or the kind that it asks for."""
    ingress, route = bool(entrances(component)), bool(component.having(*TRAITS))
    kind = place.text("trafficRoutingType", choices=(INGRESS, GATEWAY, ALB))
    if ingress and route and not kind:
        message = "has both a gateway and a route, of which one kind is divided; say trafficRoutingType"
        component.place.at("traits").problem(message)
    kind = kind or (INGRESS if ingress else GATEWAY if route else "")
    bare = Fields({}, place.ref, place.path, place.problems)
    return _routed(component, bare, (kind, component.name)) if kind else ((), ())


def _routed(component: "Component", place: Fields, wanted: tuple[str, str]) -> "Routes":
    kind, name = wanted
    if kind == GATEWAY:
        said = place.text("gatewayHTTPRouteName")
        pair = _pair(place, name)
        field = place.at("gatewayHTTPRouteName" if said else "type").path
        meant = [("HTTPRoute", said)] if said else routes(component) or [("HTTPRoute", name)]
        return (pair,), tuple(Route(GROUP, kind, route, "", pair, field) for kind, route in meant)
    there = entrances(component)
    if len(there) > 1 and not place.has("ingressName"):
        names = ", ".join(one.ingress for one in there)
        message = f"has several Ingresses ({names}), of which one is divided; say its ingressName in a {KRUISE}"
        component.place.at("traits").problem(message)
    ingress = place.text("ingressName", there[0].ingress if there else name)
    entrance = next((one for one in there if one.ingress == ingress), None)
    pair = _pair(place, entrance.service if entrance else name)
    field = place.at("ingressName" if place.has("ingressName") else "type").path
    return (pair,), (Route("networking.k8s.io", "Ingress", ingress, _variant(kind, entrance), pair, field),)


def _pair(place: Fields, name: str) -> Pair:
    service = place.text("service", name)
    return Pair(service, f"{service}-canary", place.at("service").path)


def _variant(kind: str, entrance: "Entrance | None") -> str:
    """Return how requests are divided: as the Ingress's own class does it, where the component makes it."""
    if kind == ALB or entrance is None:
        return ALB if kind == ALB else NGINX
    if entrance.kind not in CLASSES:
        known = ", ".join(CLASSES)
        entrance.place.at("properties").at("class").problem(
            f"{entrance.kind} is not known to divide requests; that can be: {known}"
        )
    return CLASSES.get(entrance.kind, NGINX)
