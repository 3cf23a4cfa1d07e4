"""Aliases that reach into another object: what they stand for, so that an object can be read and changed on its own.

YAML shares anchors within a document, and a ResourceList is one. Hosts never send such lists; people may write them.
"""

from __future__ import annotations

import re
from bisect import bisect_right

from krmfn.frozen import Value
from krmfn.krm.emit import flow
from krmfn.krm.libyaml import events
from krmfn.krm.nodes import ALIAS, below
from krmfn.krm.outline import walk
from krmfn.krm.tree import parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from krmfn.krm.slices import Slices
    from krmfn.krm.tree import Node

# In front of, between or behind the texts that are asked about; whoever is there never changes.
OUTSIDE = -1
_ALIAS = rb"\*(?<=[\s\[{,:]\*)[\w-]"


class Loan(Value):
    """A text in which aliases to other texts are written out, and the numbers of those texts."""

    text: str
    lenders: frozenset[int]


def loans(slices: Slices) -> dict[int, Loan]:
    """Return the items that cannot stand alone, by number; ``len(slices)`` is all that follows the items.

    Raises NotYaml where an alias has no anchor, or the text cannot be parsed as a whole.
    """
    if not any(_borrows(slices, number) for number in _suspects(slices)):
        return {}
    text = slices.data.decode()
    starts, ends = _in_characters(slices.data, slices.starts), _in_characters(slices.data, slices.ends)
    return standalone(text, [*zip(starts, ends, strict=True), (ends[-1], len(text))])


def _in_characters(data: bytes, offsets: Iterable[int]) -> list[int]:
    """Turn rising offsets of bytes into offsets of characters."""
    found, at, done = [], 0, 0
    for offset in offsets:
        at, done = at + len(data[done:offset].decode()), offset
        found.append(at)
    return found


def _suspects(slices: Slices) -> set[int]:
    """Return the numbers of the texts in which something looks like an alias."""
    if b"*" not in slices.data:
        return set()
    hits = (hit.start() for hit in re.finditer(_ALIAS, slices.data))
    return {bisect_right(slices.starts, at) - 1 if at < slices.end else len(slices) for at in hits} - {OUTSIDE}


def _borrows(slices: Slices, number: int) -> bool:
    """Tell whether a text has an alias without an anchor in front of it."""
    text = slices.padded(number) if number < len(slices) else slices.data[slices.end :]
    anchors = set()
    for event in walk(text):
        if isinstance(event, events.AliasEvent):
            if event.anchor not in anchors:
                return True
        elif getattr(event, "anchor", None):
            anchors.add(event.anchor)
    return False


def standalone(text: str, regions: Sequence[tuple[int, int]]) -> dict[int, Loan]:
    """Return those parts of a text that alias anchors outside themselves, by number, with such aliases written out."""
    starts = [start for start, _ in regions]

    def region(node: Any) -> int:
        number = bisect_right(starts, node.start) - 1
        return number if number >= 0 and node.start < regions[number][1] else OUTSIDE

    found: dict[int, list[Node]] = {}
    root = parse(text)
    for alias in (node for node in (below(root) if root else ()) if node.kind == ALIAS):
        if region(alias) not in {OUTSIDE, region(alias.target)}:
            found.setdefault(region(alias), []).append(alias)
    return {
        number: Loan(_written_out(text, regions[number], aliases), frozenset(region(a.target) for a in aliases))
        for number, aliases in found.items()
    }


def _written_out(text: str, region: tuple[int, int], aliases: list[Any]) -> str:
    parts, at = [], region[0]
    for alias in sorted(aliases, key=lambda node: node.start):
        parts += [text[at : alias.start], flow(alias.target.value)]
        at = alias.end
    return "".join([*parts, text[at : region[1]]])
