"""The volumes of a component: ``volumeMounts`` by kind, and the older list ``volumes``."""

from krmfn.dialects.kubevela.reader import only
from krmfn.fields import Fields

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, Final

    from krmfn.krm.item import Manifest

    Found = tuple[list[Manifest], list[Manifest]]

# For each kind of volume, in the order in which they are written: the field of the pod, and what the parameters of the
# volume are called there.
KINDS: "Final[dict[str, tuple[str, dict[str, str]]]]" = {
    "pvc": ("persistentVolumeClaim", {"claimName": "claimName"}),
    "configMap": ("configMap", {"defaultMode": "defaultMode", "cmName": "name", "items": "items"}),
    "secret": ("secret", {"defaultMode": "defaultMode", "secretName": "secretName", "items": "items"}),
    "emptyDir": ("emptyDir", {"medium": "medium"}),
    "hostPath": ("hostPath", {"path": "path"}),
}
# The mode of a file that is named; Kubernetes would take that of the volume.
MODE = 0o777


def volumes(place: Fields) -> "Found":
    """Return the mounts of the container, and the volumes of the pod: one of each name."""
    found = list(_found(place))
    mounts = [
        {"mountPath": entry.text("mountPath", required=True)}
        | entry.written("subPath")
        | {"name": entry.text("name", required=True)}
        for _, entry in found
    ]
    named: dict[str, Manifest] = {}
    for kind, entry in found:
        named.setdefault(entry.text("name"), {"name": entry.text("name")} | _source(kind, entry))
    return mounts, list(named.values())


def _found(place: Fields) -> "Iterator[tuple[str, Fields]]":
    """Yield each volume with its kind; the older list counts only where the newer one is not there."""
    by_kind = place.mapping("volumeMounts")
    only(by_kind, KINDS)
    for kind in KINDS:
        for entry in by_kind.sequence(kind):
            yield kind, entry
    for entry in () if by_kind else place.sequence("volumes"):
        yield entry.text("type", "emptyDir", choices=tuple(KINDS)[:-1]), entry


def _source(kind: str, place: Fields) -> "Manifest":
    field, names = KINDS[kind]
    only(place, ("name", "mountPath", "subPath", "type", *names))
    source: dict[str, Any] = {names[key]: value for key, value in place.written(*names).items()}
    if "items" in source:
        source["items"] = [_item(entry) for entry in place.sequence("items")]
    return {field: source}


def _item(place: Fields) -> "Manifest":
    key, path = (place.text(name, required=True) for name in ("key", "path"))
    mode = place.whole("mode", 0, MODE)
    return {"key": key, "path": path, "mode": MODE if mode is None else mode}
