"""The traits that change the workload of a component, and its pods with it."""

from krmfn.dialects.kubevela.reader import only

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final

    from krmfn.dialects.kubevela.reader import Component, Trait
    from krmfn.krm.item import Manifest


def _scaler(manifest: "Manifest", trait: "Trait", _: "Component") -> None:
    only(trait.properties, ("replicas",))
    count = trait.properties.whole("replicas")
    manifest["spec"] = {"replicas": 1 if count is None else count} | _without(manifest.get("spec"), "replicas")


def _labels(manifest: "Manifest", trait: "Trait", _: "Component") -> None:
    _merge(manifest, trait, "labels")


def _annotations(manifest: "Manifest", trait: "Trait", _: "Component") -> None:
    _merge(manifest, trait, "annotations")


def _merge(manifest: "Manifest", trait: "Trait", key: str) -> None:
    """Put labels or annotations on the workload and on its pods; one without a value is taken away."""
    given = trait.properties.value if isinstance(trait.properties.value, dict) else {}
    texts = {name: trait.properties.text(name) for name in given if trait.properties.has(name)}
    spec = manifest.get("spec")
    template = spec.get("template") if isinstance(spec, dict) else None
    for holder in (manifest, template):
        if isinstance(holder, dict):
            metadata = dict(holder.get("metadata") or {})
            values = {k: v for k, v in (metadata.get(key) or {}).items() if k not in given} | texts
            holder["metadata"] = metadata | ({key: values} if values else {})


def _env(manifest: "Manifest", trait: "Trait", component: "Component") -> None:
    """Set and remove variables of one container."""
    place = trait.properties
    only(place, ("containerName", "replace", "env", "unset"), "write one trait for each container")
    name = place.text("containerName", component.name)
    spec = ((manifest.get("spec") or {}).get("template") or {}).get("spec") or {}
    container = next((c for c in spec.get("containers") or () if c.get("name") == name), None)
    if container is None:
        place.problem(f"is for a container {name!r}, which {component.name} does not have")
        return
    wanted, gone = place.labels("env"), [entry.value for entry in place.sequence("unset")]
    before = () if place.flag("replace") else container.get("env") or ()
    kept = [{"name": v["name"], "value": wanted.pop(v["name"])} if v.get("name") in wanted else v for v in before]
    new = [{"name": key, "value": value} for key, value in wanted.items()]
    container["env"] = [variable for variable in (*kept, *new) if variable.get("name") not in gone]


def _service_account(manifest: "Manifest", trait: "Trait", _: "Component") -> None:
    only(trait.properties, ("name",), "write the account and its roles as objects")
    pod = ((manifest.get("spec") or {}).get("template") or {}).get("spec")
    if isinstance(pod, dict):
        pod["serviceAccountName"] = trait.properties.text("name", required=True)


def _without(spec: object, key: str) -> "Manifest":
    return {k: v for k, v in spec.items() if k != key} if isinstance(spec, dict) else {}


PATCHES: "Final[dict[str, Callable[[Manifest, Trait, Component], None]]]" = {
    "scaler": _scaler,
    "labels": _labels,
    "annotations": _annotations,
    "env": _env,
    "service-account": _service_account,
}
