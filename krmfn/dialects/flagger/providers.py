"""The providers: which object divides the requests, who makes it, and which fields of the service it is made from."""

from krmfn.dialects.flagger.appmesh import app_mesh
from krmfn.dialects.flagger.gateway import http_route
from krmfn.dialects.flagger.istio import mesh
from krmfn.dialects.flagger.proxies import http_proxy, route_table, traefik_service
from krmfn.dialects.flagger.reader import KNATIVE
from krmfn.dialects.flagger.splits import traffic_route, traffic_split
from krmfn.fields import Fields
from krmfn.frozen import Value
from krmfn.kinds import REVISIONS, TWIN
from krmfn.plan import Pair, Route
from krmfn.results import WARNING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Final

    from krmfn.dialects.flagger.reader import Reader
    from krmfn.krm.item import Manifest

    Made = tuple[tuple[Route, ...], tuple[Manifest, ...]]

# Versions of an API that its controller does not read any more, and what to write instead.
GONE = {"appmesh": "appmesh:v1beta2"}


class Provider(Value):
    """One kind of route: what it is, and how it comes into the package.

    It is made (``make``) and called like the apex Service, or the author names it (``named`` is where), and it leads to
    the apex Service instead of the primary one. ``uses`` are the fields of the service that it is made from. ``sides``
    is what has the pods of each side, where the mesh looks at pods as well: called like the side's Service.
    """

    group: str
    kind: str
    variant: str = ""
    named: str = ""
    uses: tuple[str, ...] = ()
    sides: str = ""
    make: "Callable[[Reader], Iterator[Manifest]] | None" = None


# The fields of the service that are about a route; which of them count depends on the provider.
FIELDS = (
    "backendTimeout",
    "backends",
    "corsPolicy",
    "delegation",
    "gatewayRefs",
    "gateways",
    "headers",
    "hosts",
    "match",
    "meshName",
    "mirror",
    "retries",
    "rewrite",
    "timeout",
    "trafficPolicy",
)
_ISTIO = (
    "corsPolicy",
    "delegation",
    "gateways",
    "headers",
    "hosts",
    "match",
    "retries",
    "rewrite",
    "timeout",
    "trafficPolicy",
)
_GATEWAY = ("backendTimeout", "corsPolicy", "gatewayRefs", "headers", "hosts", "match", "mirror", "rewrite", "timeout")
_SPLIT = Provider("split.smi-spec.io", "TrafficSplit", uses=("hosts",), make=traffic_split)
_APP_MESH = ("backends", "hosts", "match", "retries", "timeout")
_CONTOUR = ("match", "retries", "rewrite", "timeout")
_HTTP_ROUTE = Provider("gateway.networking.k8s.io", "HTTPRoute", uses=_GATEWAY, make=http_route)

PROVIDERS: "Final[dict[str, Provider | None]]" = {
    "kubernetes": None,
    "istio": Provider("networking.istio.io", "VirtualService", uses=_ISTIO, make=mesh),
    "gatewayapi:v1": _HTTP_ROUTE,
    "gatewayapi:v1beta1": _HTTP_ROUTE,
    "appmesh:v1beta2": Provider("appmesh.k8s.aws", "VirtualRouter", uses=_APP_MESH, sides="VirtualNode", make=app_mesh),
    "nginx": Provider("networking.k8s.io", "Ingress", "nginx", "ingressRef"),
    "apisix": Provider("apisix.apache.org", "ApisixRoute", named="routeRef"),
    "skipper": Provider("networking.k8s.io", "Ingress", "skipper", "ingressRef"),
    "contour": Provider("projectcontour.io", "HTTPProxy", uses=_CONTOUR, make=http_proxy),
    "gloo": Provider("gateway.solo.io", "RouteTable", make=route_table),
    "traefik": Provider("traefik.io", "TraefikService", make=traefik_service),
    KNATIVE: Provider("serving.knative.dev", "Service", named="targetRef"),
    "kuma": Provider("kuma.io", "TrafficRoute", make=traffic_route),
    "linkerd": _SPLIT,
    "osm": _SPLIT,
    "smi:v1alpha1": _SPLIT,
    "smi:v1alpha2": _SPLIT,
    "smi:v1alpha3": _SPLIT,
}


def provided(reader: "Reader") -> "Made":
    """Return the route, and what is made for it."""
    if reader.provider in GONE:
        message = "its objects have a version that the controller of the mesh has not read since its release 1.0"
        reader.spec.at("provider").problem(f"{reader.provider} is not rendered: {message}; use {GONE[reader.provider]}")
        return (), ()
    if reader.provider not in PROVIDERS:
        message = f"{reader.provider} is not rendered; that can be: {', '.join(PROVIDERS)}"
        reader.spec.at("provider").problem(message)
        return (), ()
    if not reader.spec.has("provider") and (message := _other(reader)):
        reader.spec.at("provider").problem(message)
        return (), ()
    row = PROVIDERS[reader.provider]
    if reader.style == REVISIONS:
        _check_latest(reader)
    for key in FIELDS if reader.style == TWIN else reader.service.names():
        if reader.service.has(key) and key not in (row.uses if row else ()):
            reader.remark(reader.service.at(key), f"is not used by the provider {reader.provider}", WARNING)
    if row is None:
        return (), ()
    return _routes(reader, row), tuple(row.make(reader)) if row.make else ()


def _check_latest(reader: "Reader") -> None:
    """Refuse a Service of Knative whose requests all go to revisions by name: none would follow a release."""
    spec = Fields(reader.item and reader.item.value, reader.workload, "", reader.top.problems).mapping("spec")
    shares = [(one.text("revisionName"), one.whole("percent") or 0) for one in spec.sequence("traffic")]
    if shares and not any(percent for name, percent in shares if not name):
        message = "gives nothing to the latest revision, so a new version would never get a request; give its part to "
        message += "{ latestRevision: true }, or, where a release was under way, restore its RolloutState from Git"
        spec.at("traffic").problem(message)


def _other(reader: "Reader") -> str:
    """Say that another provider was meant than the default: a controller may have one of its own, by a flag."""
    for place, key in ((reader.spec, "ingressRef"), (reader.spec, "routeRef"), (reader.service, "gatewayRefs")):
        if place.has(key):
            able = [name for name, row in PROVIDERS.items() if row and key in (row.named, *row.uses)]
            return f"is missing, which means {reader.provider}, and {key} is for {' or '.join(able)}; write which"
    return ""


def _routes(reader: "Reader", row: Provider) -> tuple[Route, ...]:
    main, apex = reader.pairs
    if not row.named:
        sides = (main.stable, main.canary) if row.sides else ()
        own = (Route(row.group, row.sides, name, "", main, "spec.provider") for name in sides)
        return (Route(row.group, row.kind, reader.apex, row.variant, main, "spec.provider"), *own)
    place = reader.spec.mapping(row.named)
    if not place:
        place.problem(f"is required: with the provider {reader.provider} it names the {row.kind} to divide")
    if place.text("kind", row.kind) != row.kind and place.path != reader.workload_field:
        place.at("kind").problem(f"{place.text('kind')} is no {row.kind}")
    name = place.text("name", required=bool(place))
    pair = Pair(apex.stable, main.canary, apex.field)
    return (Route(row.group, row.kind, name, row.variant, pair, f"{place.path}.name"),)
