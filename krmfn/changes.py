"""What changed between two values, field by field, and the same changes made to a third.

A change is a path and a new value. Entries of the lists that Kubernetes merges by key (containers, env, volumes, …) are
found by that key, so that two people may edit two containers, and the only one of a list without it as well; every
other list is one value.
"""

from krmfn.frozen import Value
from krmfn.kinds import MERGE_KEYS
from krmfn.krm import same

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    Key = str | tuple[str, ...]
    Keyed = dict[Key, Any]


class _Gone:
    """The value of a field that is not there."""

    def __repr__(self) -> str:
        return "(absent)"


GONE = _Gone()


class Change(Value):
    """One field: ``path`` holds keys and, for entries of merged lists, the tuple of values that names the entry.

    ``after`` names the entry behind which a new one was put; None puts it first.
    """

    path: "tuple[Key, ...]"
    value: object
    after: "Key | None" = ""

    @property
    def field(self) -> str:
        """Write the path as people do: ``spec.containers[web].image``."""
        steps = (f"[{','.join(map(str, k))}]" if isinstance(k, tuple) else f".{k}" for k in self.path)
        return "".join(steps).lstrip(".")


def diff(old: "Any", new: "Any", path: "tuple[Key, ...]" = ()) -> "Iterator[Change]":
    """Yield what has to change in ``old`` to make it ``new``."""
    if same(old, new):
        return
    before, after = _entries(old, path), _entries(new, path)
    if before is None or after is None or type(old) is not type(new) or _reordered(before, after, old):
        yield Change(path, new)
        return
    for key in before:
        yield from diff(before[key], after.get(key, GONE), (*path, key))
    last: Key | None = None
    for key in after:
        if key not in before:
            yield Change((*path, key), after[key], last)
        last = key


def apply(changes: "list[Change]", value: "Any") -> "Any":
    """Return ``value`` with the changes made; the value itself stays as it was. GONE removes a field."""
    for change in changes:
        value = _set(value, change, 0)
    return value


def at(value: "Any", path: "tuple[Key, ...]") -> "Any":
    """Return the value at a path, or GONE."""
    for depth, key in enumerate(path):
        inner = _entries(value, path[:depth])
        if inner is None or key not in inner:
            return GONE
        value = inner[key]
    return value


def steps(value: "Any", path: "tuple[Key, ...]") -> "tuple[str | int, ...]":
    """Return a path with the places of entries in their lists, as they are in ``value``."""
    found: list[str | int] = []
    for depth, key in enumerate(path):
        entries = _entries(value, path[:depth]) or {}
        found.append(list(entries).index(key) if isinstance(key, tuple) else key)
        value = entries[key]
    return tuple(found)


def overlap(one: "Change", other: "Change") -> bool:
    """Tell whether two changes touch the same field, or one the inside of the other."""
    return all(a == b for a, b in zip(one.path, other.path, strict=False))


def _entries(value: "Any", path: "tuple[Key, ...]") -> "Keyed | None":
    """Return the parts of a mapping or of a merged list by key; None for anything that is one value."""
    if isinstance(value, dict):
        return value
    keys = MERGE_KEYS.get(str(path[-1])) if path and isinstance(value, list) else None
    if keys is None:
        return None
    found: Keyed = {}
    for entry in value:
        if not isinstance(entry, dict) or (keys[0] not in entry and len(value) > 1):
            return None
        name = tuple(str(entry.get(k, "")) for k in keys)
        if name in found:
            return None
        found[name] = entry
    return found


def _reordered(before: "Keyed", after: "Keyed", value: "Any") -> bool:
    """Tell whether entries of a list changed places: variables may refer to those above them."""
    if isinstance(value, dict):
        return False
    return [k for k in before if k in after] != [k for k in after if k in before]


def _set(value: "Any", change: Change, depth: int) -> "Any":
    path = change.path
    if depth == len(path):
        return change.value
    entries = dict(_entries(value, path[:depth]) or {})
    key = path[depth]
    last = depth == len(path) - 1
    inner = _set(entries.get(key, GONE if last else {}), change, depth + 1)
    if inner is GONE:
        entries.pop(key, None)
    elif last and key not in entries:
        entries = _inserted(entries, (key, inner), change.after)
    else:
        entries[key] = inner
    return list(entries.values()) if isinstance(key, tuple) else entries


def _inserted(entries: "Keyed", entry: "tuple[Key, Any]", after: "Key | None") -> "Keyed":
    """Return the entries with a new one in its place; at the end where its neighbour is not there."""
    keys = list(entries)
    place = 0 if after is None else keys.index(after) + 1 if after in keys else len(keys)
    pairs = list(entries.items())
    return dict([*pairs[:place], entry, *pairs[place:]])
