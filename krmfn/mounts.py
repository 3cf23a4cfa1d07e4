"""Which ConfigMaps and Secrets the pods of a template need."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from krmfn.krm.item import Manifest

CONTAINERS = ("initContainers", "containers")
# Where a pod names what it reads, and in which field.
REFERENCES = {
    "configMap": "ConfigMap",
    "configMapRef": "ConfigMap",
    "configMapKeyRef": "ConfigMap",
    "secret": "Secret",
    "secretRef": "Secret",
    "secretKeyRef": "Secret",
}
NAMES = ("name", "secretName")


def mounted(template: "Manifest") -> set[tuple[str, str]]:
    """Return (kind, name) of every ConfigMap and Secret that a pod template mounts or reads variables from."""
    pod = template.get("spec") or {}
    return {(kind, name) for kind, name in (*_volumes(pod), *_variables(pod)) if isinstance(name, str)}


def renamed(template: "Manifest", names: "Mapping[tuple[str, str], str]") -> "Manifest":
    """Return a pod template that reads what is called otherwise now; ``names`` are by (kind, name)."""
    pod = dict(template.get("spec") or {})
    for field in ("volumes", *CONTAINERS):
        if field in pod:
            pod[field] = _swapped(pod[field], names)
    return template | {"spec": pod}


def _swapped(value: "Any", names: "Mapping[tuple[str, str], str]") -> "Any":
    if isinstance(value, list):
        return [_swapped(entry, names) for entry in value]
    if not isinstance(value, dict):
        return value
    return {key: _named(key, _swapped(entry, names), names) for key, entry in value.items()}


def _named(key: str, value: "Any", names: "Mapping[tuple[str, str], str]") -> "Any":
    for field in NAMES if key in REFERENCES and isinstance(value, dict) else ():
        if new := names.get((REFERENCES[key], value.get(field))):
            return value | {field: new}
    return value


def _volumes(pod: "Manifest") -> "Iterator[tuple[str, object]]":
    for volume in pod.get("volumes") or ():
        yield "ConfigMap", (volume.get("configMap") or {}).get("name")
        yield "Secret", (volume.get("secret") or {}).get("secretName")
        for source in (volume.get("projected") or {}).get("sources") or ():
            yield "ConfigMap", (source.get("configMap") or {}).get("name")
            yield "Secret", (source.get("secret") or {}).get("name")


def _variables(pod: "Manifest") -> "Iterator[tuple[str, object]]":
    for container in (c for field in CONTAINERS for c in pod.get(field) or ()):
        for source in container.get("envFrom") or ():
            yield "ConfigMap", (source.get("configMapRef") or {}).get("name")
            yield "Secret", (source.get("secretRef") or {}).get("name")
        for variable in container.get("env") or ():
            source = variable.get("valueFrom") or {}
            yield "ConfigMap", (source.get("configMapKeyRef") or {}).get("name")
            yield "Secret", (source.get("secretKeyRef") or {}).get("name")
