"""The workload of a component: its first object, or the one among the objects of its chart that the release is of."""

from krmfn.dialects.kubevela.objects import HELM, OBJECTS, named
from krmfn.fields import Fields
from krmfn.kinds import WORKLOADS
from krmfn.krm.item import Ref

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from krmfn.dialects.kubevela.reader import Component, Reader
    from krmfn.krm import Item
    from krmfn.krm.item import Manifest

INSTANCE, RELEASE = "app.kubernetes.io/instance", "meta.helm.sh/release-name"


def workload(reader: "Reader", component: "Component", objects: "list[Manifest]", kind: Fields) -> Ref:
    """Return the workload; ``kind`` is where the author says its kind, where that is not the one it seems to be."""
    if kind:
        kind.text("apiVersion", required=True)
        kind.text("kind", required=True)
    if component.type == HELM:
        return _charted(reader, component, kind)
    ref = named(objects[0]) if objects else Ref("apps/v1", "Deployment", reader.namespace, component.name)
    if kind:
        ref = ref.replace(api_version=kind.text("apiVersion"), kind=kind.text("kind"))
    row = WORKLOADS.get((ref.group, ref.kind))
    if objects and (row is None or not row.named):
        known = ", ".join(f"{kind}.{group}" for (group, kind), row in WORKLOADS.items() if row.named)
        first = ", its first object" if component.type == OBJECTS else ""
        message = f"has no workload that can be released step by step: {ref}{first}, is none of {known}"
        component.place.problem(message)
    return ref


def _charted(reader: "Reader", component: "Component", kind: Fields) -> Ref:
    """Find the workload of a chart: by the name of the component, else the only one of the release."""
    release = component.properties.text("releaseName", component.name)
    namespace = component.properties.text("targetNamespace", reader.namespace)
    there = [item for item in _candidates(reader, kind, namespace) if _released(item, release)]
    called = [item for item in _candidates(reader, kind, namespace) if item.ref.name == component.name]
    found = called[:1] or there
    if len(found) == 1:
        return found[0].ref
    if found:
        names = ", ".join(str(item.ref) for item in found)
        message = f"{component.name!r} is none of the workloads of its chart ({names}); call the component like one"
        component.place.at("name").problem(message)
    else:
        message = (
            f"has no workload in the package: none is called {component.name}, and none has the label "
            f"{INSTANCE}: {release}; render the chart into the package (helm template {release} …)"
        )
        component.place.problem(message)
    return Ref("apps/v1", "Deployment", namespace, component.name)


def _candidates(reader: "Reader", kind: Fields, namespace: str) -> "Iterator[Item]":
    """Yield the workloads of the package; what Helm renders has no namespace until it is applied."""
    for (group, name), row in WORKLOADS.items():
        api_version = kind.text("apiVersion") if kind else ""
        wanted = not kind or (api_version.rpartition("/")[0], kind.text("kind")) == (group, name)
        for item in reader.scene.of_kind(group, name) if wanted and row.named else ():
            if item.ref.namespace in (namespace, ""):
                yield item


def _released(item: "Item", release: str) -> bool:
    metadata = item.value.get("metadata") or {}
    said = (metadata.get("labels") or {}).get(INSTANCE), (metadata.get("annotations") or {}).get(RELEASE)
    return release in said
