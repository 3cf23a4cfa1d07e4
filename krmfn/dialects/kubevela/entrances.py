"""The traits that let requests in by a Service and an Ingress. Releases find what they divide by these names."""

from krmfn.dialects.kubevela.pods import MOST, PORT, PROTOCOLS, TYPES, service
from krmfn.dialects.kubevela.reader import only
from krmfn.frozen import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Final

    from krmfn.dialects.kubevela.reader import Component, Reader, Trait
    from krmfn.fields import Fields
    from krmfn.krm.item import Manifest

GATEWAY = "gateway"
CLASS = "kubernetes.io/ingress.class"
# The classes of Ingress whose controllers can divide requests, and the variant that tells them how.
CLASSES: "Final" = {"nginx": "nginx", "alb": "aliyun-alb", "higress": "higress", "mse": "mse"}
GATEWAY_KEYS = (
    "name",
    "domain",
    "http",
    "class",
    "classInSpec",
    "secretName",
    "gatewayHost",
    "labels",
    "annotations",
    "pathType",
    "existingServiceName",
)


class Entrance(Value):
    """An Ingress that a component has: its name, its class, and the Service that it leads to."""

    ingress: str
    kind: str
    service: str
    place: "Fields"


def entrances(component: "Component") -> list[Entrance]:
    """Return the Ingresses that the traits of a component make."""
    found = []
    for trait in component.having(GATEWAY):
        own = trait.properties.text("name")
        name = f"{component.name}-{own}" if own else component.name
        leads = trait.properties.text("existingServiceName", name)
        found.append(Entrance(name, trait.properties.text("class", "nginx"), leads, trait.place))
    return found


def gateway(reader: "Reader", component: "Component", trait: "Trait") -> "Iterator[Manifest]":
    """Yield the Service and the Ingress of a ``gateway``."""
    place = trait.properties
    only(place, GATEWAY_KEYS)
    entrance = next(one for one in entrances(component) if one.place is trait.place)
    http = place.mapping("http", required=True)
    paths = {path: http.whole(path, 1, MOST) for path in http.names()}
    if not place.has("existingServiceName"):
        yield service(reader, component, {"ports": _ports(paths)}, entrance.service)
    metadata = reader.metadata(component, entrance.ingress)
    metadata["labels"] |= place.labels("labels")
    annotations = {"ingress.controller/host": place.text("gatewayHost")} if place.has("gatewayHost") else {}
    annotations |= place.labels("annotations")
    in_spec = place.flag("classInSpec")
    if annotations := annotations if in_spec else {CLASS: entrance.kind} | annotations:
        metadata["annotations"] = annotations
    spec: Manifest = {"ingressClassName": entrance.kind} if in_spec else {}
    domain = place.text("domain")
    if place.has("secretName"):
        spec["tls"] = [({"hosts": [domain]} if domain else {}) | {"secretName": place.text("secretName")}]
    kind = place.text("pathType", "ImplementationSpecific", choices=("ImplementationSpecific", "Prefix", "Exact"))
    rule = {
        "http": {
            "paths": [
                {
                    "path": path,
                    "pathType": kind,
                    "backend": {"service": {"name": entrance.service, "port": {"number": port}}},
                }
                for path, port in paths.items()
            ]
        }
    }
    spec["rules"] = [({"host": domain} if domain else {}) | rule]
    yield {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": metadata, "spec": spec}


def _ports(paths: "dict[str, int | None]") -> "list[Manifest]":
    """Return one port for each that a path leads to, however many do."""
    numbers = dict.fromkeys(paths.values())
    return [{"name": f"port-{number}", "port": number, "targetPort": number} for number in numbers]


def expose(reader: "Reader", component: "Component", trait: "Trait") -> "Iterator[Manifest]":
    """Yield the Service of an ``expose``."""
    place = trait.properties
    only(place, ("port", "ports", "annotations", "matchLabels", "type"))
    kind = place.text("type", TYPES[0], choices=TYPES)
    ports = [_exposed(entry, kind) for entry in place.sequence("ports")]
    if place.has("port") and not ports:
        numbers = [place.at("port").whole(index, 1, MOST) for index, _ in enumerate(place.sequence("port"))]
        ports = [{"name": f"port-{number}", "port": number, "targetPort": number} for number in numbers]
    spec: Manifest = {"ports": ports, "type": kind}
    if place.has("matchLabels"):
        spec["selector"] = place.labels("matchLabels")
    found = service(reader, component, spec)
    if annotations := place.labels("annotations"):
        found["metadata"]["annotations"] = annotations
    yield found


def _exposed(place: "Fields", kind: str) -> "Manifest":
    only(place, [key for key in PORT if key not in ("expose", "containerPort")])
    number, protocol = place.whole("port", 1, MOST), place.text("protocol", PROTOCOLS[0], choices=PROTOCOLS)
    name = f"port-{number}" if protocol == PROTOCOLS[0] else f"port-{number}-{protocol.lower()}"
    found: Manifest = {"port": number, "targetPort": number, "name": place.text("name", name), "protocol": protocol}
    return found | (place.written("nodePort") if kind == "NodePort" else {})
