"""The objects of an Application: each kind of component makes some, and traits add to them or change the workload."""

from krmfn import shapes
from krmfn.dialects.kubevela.autoscalers import cpuscaler, hpa
from krmfn.dialects.kubevela.entrances import GATEWAY, expose, gateway
from krmfn.dialects.kubevela.gatewayapi import HTTP, HTTPS, TCP, http_route, https_route, tcp_route
from krmfn.dialects.kubevela.patches import PATCHES
from krmfn.dialects.kubevela.pods import webservice, worker
from krmfn.dialects.kubevela.reader import only
from krmfn.errors import KrmfnError
from krmfn.fields import Fields
from krmfn.krm.item import Ref

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, Final

    from krmfn.dialects.kubevela.reader import Component, Reader, Trait
    from krmfn.krm.item import Manifest

HELM, OBJECTS = "helm", "k8s-objects"
ROLLOUTS = ("kruise-rollout", "rolling-release")
# Kinds that are in no namespace.
ANYWHERE = (
    "APIService",
    "ClusterRole",
    "ClusterRoleBinding",
    "CustomResourceDefinition",
    "GatewayClass",
    "IngressClass",
    "Namespace",
    "PersistentVolume",
    "PriorityClass",
    "StorageClass",
)


def made(reader: "Reader") -> "dict[str, list[Manifest]]":
    """Return the objects of each component, its workload first; those of a chart are in the package already."""
    return {component.name: _objects(reader, component) for component in reader.components}


def named(manifest: "Manifest") -> Ref:
    """Return what a manifest is called, as far as it says so."""
    metadata = manifest.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    names = [manifest.get("apiVersion"), manifest.get("kind"), metadata.get("namespace"), metadata.get("name")]
    return Ref(*(str(name or "") for name in names))


def _objects(reader: "Reader", component: "Component") -> "list[Manifest]":
    traits = [trait for trait in component.traits if trait.type not in ROLLOUTS]
    if component.type == HELM:
        for trait in traits:
            message = f"{trait.type} does not reach into a chart; say it in the values of the chart"
            trait.place.at("type").problem(message)
        return []
    if component.type not in COMPONENTS:
        known = ", ".join((*COMPONENTS, HELM))
        message = f"{component.type} is not rendered; that can be: {known}. Write its objects as {OBJECTS}"
        component.place.at("type").problem(message)
        return []
    found = list(COMPONENTS[component.type](reader, component))
    for trait in traits if found and _sound(reader, found) else ():
        _apply(reader, component, trait, found)
    _sound(reader, found)
    return found


def _sound(reader: "Reader", found: "list[Manifest]") -> bool:
    """Tell whether all objects have the shape of their kinds; note where one has not."""
    before = len(reader.top.problems)
    for manifest in found:
        try:
            shapes.check_manifest(manifest, named(manifest))
        except KrmfnError as problem:
            reader.top.problems.append(problem)
    return len(reader.top.problems) == before


def _apply(reader: "Reader", component: "Component", trait: "Trait", found: "list[Manifest]") -> None:
    """Let a trait change the workload, or add what it makes."""
    if trait.type in PATCHES:
        PATCHES[trait.type](found[0], trait, component)
    elif trait.type in MAKERS:
        for manifest in MAKERS[trait.type](reader, component, trait):
            _join(found, manifest, trait.place)
    else:
        known = ", ".join((*PATCHES, *MAKERS, *ROLLOUTS))
        message = f"{trait.type} is not rendered; that can be: {known}. Write what {component.type} and it come to"
        trait.place.at("type").problem(f"{message} as {OBJECTS}")


def _join(found: "list[Manifest]", manifest: "Manifest", place: Fields) -> None:
    """Add an object; a Service that is there already gets the ports that it does not have."""
    there = next((one for one in found if named(one) == named(manifest)), None)
    if there is None:
        found.append(manifest)
        return
    spec, more = there["spec"], manifest["spec"]
    if manifest["kind"] != "Service" or any(spec.get(key, more[key]) != more[key] for key in more if key != "ports"):
        message = f"makes {named(manifest)}, and something else of the component does as well; leave one of them out"
        place.problem(message)
        return
    known = [_port(port) for port in spec["ports"]]
    new = [port for port in more["ports"] if _port(port) not in known]
    there["spec"] = more | spec | {"ports": [*spec["ports"], *new]}
    there["metadata"] = there["metadata"] | manifest["metadata"]


def _port(port: "Manifest") -> "tuple[object, object]":
    return port.get("port"), port.get("protocol", "TCP")


def _given(reader: "Reader", component: "Component") -> "Iterator[Manifest]":
    """Yield the objects that the author wrote into a component."""
    only(component.properties, ("objects",))
    places = list(component.properties.sequence("objects"))
    if not places:
        component.properties.at("objects").problem("is required: its first object is the workload")
    for place in places:
        if not isinstance(place.value, dict):
            place.problem("must be a mapping")
            continue
        for key in ("apiVersion", "kind"):
            place.text(key, required=True)
        metadata = place.mapping("metadata", required=True)
        metadata.text("name", required=bool(metadata))
        own = {"namespace": reader.namespace} if reader.namespace and place.value.get("kind") not in ANYWHERE else {}
        yield _copied(place.value) | ({"metadata": own | _copied(metadata.value)} if metadata else {})


def _copied(value: "Any") -> "Any":
    """Return a copy all the way down: traits change it, and the Application stays as it is."""
    if isinstance(value, dict):
        return {key: _copied(inner) for key, inner in value.items()}
    return [_copied(inner) for inner in value] if isinstance(value, list) else value


COMPONENTS: "Final[dict[str, Callable[[Reader, Component], Iterator[Manifest]]]]" = {
    "webservice": webservice,
    "worker": worker,
    OBJECTS: _given,
}
MAKERS: "Final[dict[str, Callable[[Reader, Component, Trait], Iterator[Manifest]]]]" = {
    GATEWAY: gateway,
    HTTP: http_route,
    HTTPS: https_route,
    TCP: tcp_route,
    "expose": expose,
    "cpuscaler": cpuscaler,
    "hpa": hpa,
}
