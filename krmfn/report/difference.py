"""What differs between two renderings of one package: objects that came, changed or went."""

from krmfn.changes import GONE, at, diff
from krmfn.frozen import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from krmfn.function import Rendered
    from krmfn.krm import Item, Package
    from krmfn.krm.item import Ref
    from krmfn.report.applied import Applied

ADDED, CHANGED, REMOVED = "added", "changed", "removed"
BRIEF, SHOWN = 90, 12


class FieldChange(Value):
    """One field: its path as people write it, and both values (GONE where there is none)."""

    field: str
    old: object
    new: object

    def __str__(self) -> str:
        """Show the values where they are short: ``spec.replicas 1 → 2``; of a digest its beginning is enough."""
        values = [_cut(str(value)) for value in (self.old, self.new)]
        brief = not any(isinstance(v, dict | list) for v in (self.old, self.new)) and max(map(len, values)) <= BRIEF
        return f"{self.field} {' → '.join(values)}" if brief else self.field


def _cut(value: str) -> str:
    name, mark, digest = value.partition("@sha256:")
    return f"{name}{mark}{digest[:SHOWN]}…" if mark and len(digest) > SHOWN else value


class Difference(Value):
    """One object that is not the same: ``old`` is None where it came, ``new`` where it went."""

    old: "Item | None"
    new: "Item | None"

    @property
    def action(self) -> str:
        """Say in one word what happened to it."""
        return ADDED if self.old is None else REMOVED if self.new is None else CHANGED

    @property
    def item(self) -> "Item":
        """The object as it is, or as it was last."""
        return self.items[-1]

    @property
    def ref(self) -> "Ref":
        """Which object."""
        return self.item.ref

    @property
    def items(self) -> "list[Item]":
        """Return what it was and what it is, without what is not."""
        return [item for item in (self.old, self.new) if item is not None]

    @property
    def fields(self) -> "tuple[FieldChange, ...]":
        """What changed in it; nothing for one that came or went."""
        if self.old is None or self.new is None:
            return ()
        return field_changes(self.old.value, self.new.value)


def field_changes(old: object, new: object) -> "tuple[FieldChange, ...]":
    """Return the fields by which two values differ."""
    return tuple(FieldChange(change.field, at(old, change.path), change.value) for change in diff(old, new))


def differences(applied: "Applied", before: "Rendered", after: "Rendered") -> "tuple[Difference, ...]":
    """Return the objects that differ in what is applied: those that are there in their order, then those that went."""
    one, other = applied.changes(before), applied.changes(after)
    marks = sorted({*one, *other})
    old, new = _by_key(applied.package, one, marks), _by_key(applied.package, other, marks)
    there = [Difference(old.get(key), item) for key, item in new.items()]
    gone = [Difference(item, None) for key, item in old.items() if key not in new]
    return (*(found for found in there if found.old is None or found.old.text != found.item.text), *gone)


def unified(difference: "Difference", names: "tuple[str, str]") -> "Iterator[str]":
    """Yield a unified diff of one object, line by line; ``names`` are those of the two positions."""
    import difflib

    title = f"{difference.ref} ({difference.item.path})" if difference.item.path else str(difference.ref)
    sides = (difference.old, difference.new)
    before, after = (f"{title} at {name}" if item else "/dev/null" for item, name in zip(sides, names, strict=True))
    old, new = (item.text.splitlines() if item else [] for item in sides)
    yield from difflib.unified_diff(old, new, before, after, lineterm="")


def _by_key(
    package: "Package", changes: "dict[int, Sequence[Item]]", marks: "Sequence[int]"
) -> "dict[tuple[str, str, str, str], Item]":
    found = {}
    for mark in marks:
        for item in changes.get(mark, (package.items[mark],)):
            found[item.ref.key] = item
    return found


__all__ = [
    "ADDED",
    "CHANGED",
    "GONE",
    "REMOVED",
    "Difference",
    "FieldChange",
    "differences",
    "field_changes",
    "unified",
]
