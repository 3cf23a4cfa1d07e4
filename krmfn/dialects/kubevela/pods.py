"""What the components ``webservice`` and ``worker`` become: a Deployment, and a Service for the ports that are exposed.

Source: the definitions that come with KubeVela. What Kubernetes takes for granted anyway is left out.
"""

from krmfn.dialects.kubevela.reader import APPLICATION, COMPONENT, only
from krmfn.dialects.kubevela.volumes import volumes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Final

    from krmfn.dialects.kubevela.reader import Component, Reader
    from krmfn.fields import Fields
    from krmfn.krm.item import Manifest

# Parameters that are fields of the container, and what those are called.
COPIED: "Final" = {
    "imagePullPolicy": "imagePullPolicy",
    "cmd": "command",
    "args": "args",
    "env": "env",
    "livenessProbe": "livenessProbe",
    "readinessProbe": "readinessProbe",
}
WORKER: "Final" = ("image", *COPIED, "imagePullSecrets", "cpu", "memory", "volumeMounts", "volumes")
WEBSERVICE: "Final" = (*WORKER, "limit", "labels", "annotations", "port", "ports", "exposeType", "hostAliases")
PORT = ("port", "containerPort", "name", "protocol", "expose", "nodePort")
RESOURCES = ("cpu", "memory")
PROTOCOLS = ("TCP", "UDP", "SCTP")
TYPES = ("ClusterIP", "NodePort", "LoadBalancer")
MOST = 65535


def webservice(reader: "Reader", component: "Component") -> "Iterator[Manifest]":
    """Yield the Deployment and the Service of a webservice."""
    place = component.properties
    only(place, WEBSERVICE)
    ports = [(entry, _port(entry)) for entry in place.sequence("ports")]
    container: Manifest = {"ports": [port for _, port in ports]} if ports else {}
    if place.has("port") and not ports:
        container = {"ports": [{"containerPort": place.whole("port", 1, MOST)}]}
    yield _deployment(reader, component, container)
    kind = place.text("exposeType", TYPES[0], choices=TYPES)
    if exposed := [_exposed(entry, port, kind) for entry, port in ports if entry.flag("expose")]:
        yield service(reader, component, {"ports": exposed, "type": kind})


def worker(reader: "Reader", component: "Component") -> "Iterator[Manifest]":
    """Yield the Deployment of a worker, which nobody sends requests to."""
    only(component.properties, WORKER)
    yield _deployment(reader, component, {})


def service(reader: "Reader", component: "Component", spec: "Manifest", name: str = "") -> "Manifest":
    """Return a Service that leads to the pods of a component."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": reader.metadata(component, name),
        "spec": {"selector": {COMPONENT: component.name}} | spec,
    }


def _deployment(reader: "Reader", component: "Component", ports: "Manifest") -> "Manifest":
    place = component.properties
    metadata: Manifest = {
        "labels": place.labels("labels") | {APPLICATION: reader.name, COMPONENT: component.name},
        **({"annotations": place.labels("annotations")} if place.has("annotations") else {}),
    }
    mounts, mounted = volumes(place)
    container: Manifest = {"name": component.name, "image": place.text("image", required=True)} | ports
    container |= {COPIED[key]: value for key, value in place.written(*COPIED).items()}
    container |= _resources(place) | ({"volumeMounts": mounts} if mounts else {})
    pod: Manifest = {"containers": [container]} | place.written("hostAliases")
    if place.has("imagePullSecrets"):
        pod["imagePullSecrets"] = [{"name": secret.value} for secret in place.sequence("imagePullSecrets")]
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": reader.metadata(component),
        "spec": {
            "selector": {"matchLabels": {COMPONENT: component.name}},
            "template": {"metadata": metadata, "spec": pod | ({"volumes": mounted} if mounted else {})},
        },
    }


def _resources(place: "Fields") -> "Manifest":
    """Return the resources: what a component may have at most is what it asks for, unless it says so."""
    limit = place.mapping("limit")
    only(limit, RESOURCES)
    asked = {key: place.text(key) for key in RESOURCES if place.has(key)}
    most = {key: limit.text(key, asked[key]) for key in asked}
    return {"resources": {"limits": most, "requests": asked}} if asked else {}


def _port(place: "Fields") -> "Manifest":
    only(place, PORT)
    number = place.whole("containerPort" if place.has("containerPort") else "port", 1, MOST)
    if not place.has("port"):
        place.at("port").problem("is required")
    protocol = place.text("protocol", PROTOCOLS[0], choices=PROTOCOLS)
    name = f"port-{number}" if protocol == PROTOCOLS[0] else f"port-{number}-{protocol.lower()}"
    return {"containerPort": number, "protocol": protocol, "name": place.text("name", name)}


def _exposed(place: "Fields", port: "Manifest", kind: str) -> "Manifest":
    ports = {"port": place.whole("port", 1, MOST), "targetPort": port["containerPort"]}
    found: Manifest = ports | {"name": port["name"], "protocol": port["protocol"]}
    return found | (place.written("nodePort") if kind == "NodePort" else {})
