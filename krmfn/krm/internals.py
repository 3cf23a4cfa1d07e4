"""The annotations by which hosts keep track of objects: which file, which place in it, whose comments."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

INTERNAL = ("internal.config.kubernetes.io/", "internal.config.k8s.io/")
LEGACY = {
    "config.kubernetes.io/path",
    "config.kubernetes.io/index",
    "config.k8s.io/id",
    "kustomize.config.k8s.io/id",
}
# By these kpt finds the original of what comes back, and merges it in.
IDS = ("internal.config.kubernetes.io/id", "config.k8s.io/id")
# Every one of them is one of these with a word behind it, or is in LEGACY, which spells some of them as well.
SPELLINGS = ("config.kubernetes.io/", "config.k8s.io/")


# What a host that renames objects notes of one: what it was called, and what was put before and behind that.
PREVIOUS, PREFIXES, SUFFIXES = (f"{INTERNAL[0]}{word}" for word in ("previousNames", "prefixes", "suffixes"))
RENAMED = (PREVIOUS, PREFIXES, SUFFIXES, f"{INTERNAL[0]}previousNamespaces", f"{INTERNAL[0]}previousKinds")


def internal(name: str) -> bool:
    """Tell whether an annotation belongs to the host, not to the author."""
    return name.startswith(INTERNAL) or name in LEGACY


def stripped(value: Any) -> Any:
    """Return an object without such annotations: a copy that has them is taken for the original.

    What says how the host has renamed this very object stays: it is no copy's.
    """
    given = _annotations(value)
    own = RENAMED if PREVIOUS in given and _is_renamed(value["metadata"].get("name"), given) else ()
    return _with(value, {name: said for name, said in given.items() if name in own or not internal(name)})


def _is_renamed(name: Any, given: dict[str, Any]) -> bool:
    """Tell whether a name is what the notes say: later prefixes stand before earlier ones, and suffixes behind."""
    prefixes, suffixes = (str(given.get(key, "")).split(",") for key in (PREFIXES, SUFFIXES))
    return bool(name == "".join([*reversed(prefixes), str(given[PREVIOUS]), *suffixes]))


def placed(value: Any, path: str, index: int) -> Any:
    """Return an object that the host puts into a file, as the document with that index."""
    bare = stripped(value)
    if not path or not isinstance(bare, dict):
        return bare
    places = {"path": path, "index": str(index)}
    families = ("config.kubernetes.io/", "internal.config.kubernetes.io/")
    return _with(bare, _annotations(bare) | {family + name: places[name] for family in families for name in places})


def restored(value: Any, given: Any) -> Any:
    """Return an object with those annotations that the host gave it and that somebody dropped."""
    lost = {name: said for name, said in _annotations(given).items() if internal(name)}
    return _with(value, {**_annotations(value), **{k: v for k, v in lost.items() if k not in _annotations(value)}})


def _annotations(value: Any) -> dict[str, Any]:
    metadata = value.get("metadata") if isinstance(value, dict) else None
    found = metadata.get("annotations") if isinstance(metadata, dict) else None
    return found if isinstance(found, dict) else {}


def _with(value: Any, annotations: dict[str, Any]) -> Any:
    """Return the object with these annotations; the same object where it has them, or cannot have any."""
    if annotations == _annotations(value) or not isinstance(value, dict):
        return value
    metadata = value.get("metadata") or {}
    rest = {name: inner for name, inner in metadata.items() if name != "annotations" or annotations}
    return value | {"metadata": rest | ({"annotations": annotations} if annotations else {})}


def anonymous(value: Any) -> Any:
    """Return an object without ids; the same object where it has none."""
    metadata: Any = value.get("metadata") if isinstance(value, dict) else None
    annotations: Any = metadata.get("annotations") if isinstance(metadata, dict) else None
    if not isinstance(annotations, dict) or annotations.keys().isdisjoint(IDS):
        return value
    left = {own: said for own, said in annotations.items() if own not in IDS}
    rest = {own: said for own, said in metadata.items() if own != "annotations" or left}
    return value | {"metadata": rest | ({"annotations": left} if left else {})}
