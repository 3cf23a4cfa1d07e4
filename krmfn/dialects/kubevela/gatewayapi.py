"""The traits that let requests in by the Gateway API: HTTP, HTTPS and TCP, the latter two with a gateway of their own.

Their definitions are of another time of that API; what they make is written in the version that it has now.
"""

from krmfn.dialects.kubevela.pods import MOST
from krmfn.dialects.kubevela.reader import only

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from krmfn.dialects.kubevela.reader import Component, Reader, Trait
    from krmfn.fields import Fields
    from krmfn.krm.item import Manifest

HTTP, HTTPS, TCP = TRAITS = ("http-route", "https-route", "tcp-route")
GROUP = "gateway.networking.k8s.io"
HTTP_KEYS = ("domains", "rules", "gatewayName", "gatewayNamespace", "listenerName")
HTTPS_KEYS = ("domains", "rules", "TLSPort", "gatewayClassName", "secrets")
TCP_KEYS = ("gatewayPort", "serviceName", "port", "gatewayClassName")
CLASS, TLS_PORT, TCP_PORT = "traefik", 8443, 8060


def routes(component: "Component") -> "list[tuple[str, str]]":
    """Return (kind, name) of each route that the traits of a component make."""
    found = [("HTTPRoute", component.name) for _ in component.having(HTTP)]
    found += [("HTTPRoute", f"{component.name}-ssl") for _ in component.having(HTTPS)]
    rules = (rule for trait in component.having(TCP) for rule in trait.properties.sequence("rules"))
    return [*found, *(("TCPRoute", _named(_listens(rule))) for rule in rules)]


def http_route(reader: "Reader", component: "Component", trait: "Trait") -> "Iterator[Manifest]":
    """Yield the HTTPRoute of an ``http-route``; the gateway has to be named, since two addons differ about it."""
    place = trait.properties
    only(place, HTTP_KEYS)
    parent: Manifest = {
        "name": place.text("gatewayName", required=True),
        "namespace": place.text("gatewayNamespace", "vela-system"),
        "sectionName": place.text("listenerName", "web"),
    }
    yield _made(reader, component, "HTTPRoute", ("", _spec(component, place, parent)))


def https_route(reader: "Reader", component: "Component", trait: "Trait") -> "Iterator[Manifest]":
    """Yield the Gateway and the HTTPRoute of an ``https-route``."""
    place = trait.properties
    only(place, HTTPS_KEYS)
    name, port = f"{component.name}-gateway-tls", place.whole("TLSPort", 1, MOST) or TLS_PORT
    listeners = [_secured(reader, secret, port) for secret in place.sequence("secrets")]
    if not listeners:
        place.at("secrets").problem("is required: each is a listener of the gateway")
    yield _made(reader, component, "Gateway", (name, _gateway(place, listeners)))
    parent = {"name": name} | _place(reader) | {"port": port}
    yield _made(reader, component, "HTTPRoute", (f"{component.name}-ssl", _spec(component, place, parent)))


def tcp_route(reader: "Reader", component: "Component", trait: "Trait") -> "Iterator[Manifest]":
    """Yield a Gateway and a TCPRoute for each rule of a ``tcp-route``."""
    only(trait.properties, ("rules",))
    for rule in trait.properties.sequence("rules"):
        only(rule, TCP_KEYS)
        port = _listens(rule)
        name, section = f"{component.name}-gateway-tcp-{port}", f"listener-tcp-{port}"
        allowed = {"namespaces": {"from": "Same"}, "kinds": [{"group": GROUP, "kind": "TCPRoute"}]}
        listener = {"name": section, "port": port, "protocol": "TCP", "allowedRoutes": allowed}
        yield _made(reader, component, "Gateway", (name, _gateway(rule, [listener])))
        parent = {"name": name} | _place(reader) | {"sectionName": section}
        backend = {"backendRefs": [_backend(component, rule)]}
        yield _made(reader, component, "TCPRoute", (_named(port), {"parentRefs": [parent], "rules": [backend]}))


def _made(reader: "Reader", component: "Component", kind: str, what: "tuple[str, Manifest]") -> "Manifest":
    name, spec = what
    version = "v1alpha2" if kind == "TCPRoute" else "v1"
    metadata = reader.metadata(component, name)
    return {"apiVersion": f"{GROUP}/{version}", "kind": kind, "metadata": metadata, "spec": spec}


def _gateway(place: "Fields", listeners: "list[Manifest]") -> "Manifest":
    return {"gatewayClassName": place.text("gatewayClassName", CLASS), "listeners": listeners}


def _secured(reader: "Reader", place: "Fields", port: int) -> "Manifest":
    only(place, ("name", "namespace"))
    name, namespace = place.text("name", required=True), place.text("namespace", reader.namespace)
    secret = {"kind": "Secret", "name": name} | ({"namespace": namespace} if namespace else {})
    return {"name": name, "protocol": "HTTPS", "port": port, "tls": {"certificateRefs": [secret]}}


def _place(reader: "Reader") -> "Manifest":
    return {"namespace": reader.namespace} if reader.namespace else {}


def _listens(rule: "Fields") -> int:
    return rule.whole("gatewayPort", 1, MOST) or TCP_PORT


def _named(port: int) -> str:
    """Return what the definition calls a TCPRoute: it is not the component that names it."""
    return f"tcp-route-{port}"


def _spec(component: "Component", place: "Fields", parent: "Manifest") -> "Manifest":
    spec: Manifest = {"parentRefs": [parent]}
    if place.has("domains"):
        spec["hostnames"] = [domain.value for domain in place.sequence("domains")]
    return spec | {"rules": [_rule(component, rule) for rule in place.sequence("rules")]}


def _rule(component: "Component", place: "Fields") -> "Manifest":
    only(place, ("path", "headers", "serviceName", "port"))
    found: Manifest = {}
    if path := place.mapping("path"):
        found["path"] = {"type": path.text("type", "PathPrefix"), "value": path.text("value", "/")}
    if place.has("headers"):
        found["headers"] = [
            {"type": "Exact", "name": header.text("name", required=True), "value": header.text("value", required=True)}
            for header in place.sequence("headers")
        ]
    return ({"matches": [found]} if found else {}) | {"backendRefs": [_backend(component, place)]}


def _backend(component: "Component", place: "Fields") -> "Manifest":
    if not place.has("port"):
        place.at("port").problem("is required")
    return {"name": place.text("serviceName", component.name), "port": place.whole("port", 1, MOST)}
