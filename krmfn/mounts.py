"""Which ConfigMaps and Secrets the pods of a template need."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from krmfn.krm.item import Manifest

CONTAINERS = ("initContainers", "containers")


def mounted(template: "Manifest") -> set[tuple[str, str]]:
    """Return (kind, name) of every ConfigMap and Secret that a pod template mounts or reads variables from."""
    pod = template.get("spec") or {}
    return {(kind, name) for kind, name in (*_volumes(pod), *_variables(pod)) if isinstance(name, str)}


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
