"""Surgical edits: the text of an object, changed where its meaning has to change and nowhere else.

Comments, order, quotes, indentation and the author's way with lists stay as they are. An entry that leaves takes the
comments directly above it along; an entry that comes stands behind the one it follows in the new value, so that taking
something out and putting it back gives the same text again.
"""

from __future__ import annotations

from krmfn.krm import emit
from krmfn.krm.alike import pairs, same
from krmfn.krm.emit import Text
from krmfn.krm.nodes import ALIAS, LIST, MAP, SCALAR, below, is_block, merges, name
from krmfn.krm.scalars import scalar
from krmfn.krm.source import UnfitError, measured

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from krmfn.krm.nodes import Node
    from krmfn.krm.source import Slot, Source

_FIRST_LINE = r"[^\n]*\n(?: *\n)*( *)"


def edited(source: Source, new: Any) -> str:
    """Return the source's text with edits that should make it mean ``new``; the caller has to check that they do.

    ``new`` may hold `Text` leaves. Raises UnfitError where the text cannot be edited in place.
    """
    surgery = _Surgery(source)
    surgery.value(source.node, new, source.slot)
    if "*" in source.text:
        surgery.aliases()
    return surgery.done()


class _Rows:
    """The entries of a block mapping or list: offsets of their first and last characters, and their column."""

    __slots__ = ("column", "ends", "floor", "in_line", "starts")

    def __init__(self, source: Source, starts: list[int], ends: list[int], floor: int) -> None:
        """Look where they begin; comments above the offset ``floor`` belong to somebody else."""
        self.starts = starts
        self.ends = ends
        self.floor = floor
        self.column = starts[0] - source.line_start(starts[0])
        self.in_line = not source.starts_line(starts[0])  # the first entry stands behind a dash

    def above(self, source: Source, i: int) -> int:
        """Return where the lines of an entry begin, with the comments directly above it."""
        return source.above(self.starts[i], self.ends[i - 1] if i else self.floor)

    def after(self, source: Source, i: int) -> int:
        """Return where the line below an entry begins."""
        return source.last_line_end(self.ends[i], self.column) + 1


class _Surgery:
    """The edits of one text, collected."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.text = source.text
        self.edits: list[tuple[int, int, str]] = []
        self.renewed: dict[Node, Any] = {}  # what anchored nodes mean now
        self.waiting: dict[Node, Any] = {}  # what aliases have to mean

    def done(self) -> str:
        """Apply the edits; those at one place in the order in which they were made."""
        parts: list[str] = []
        at = 0
        for start, end, text in sorted(self.edits, key=lambda edit: edit[:2]):
            if start < at:
                raise UnfitError
            parts += (self.text[at:start], text)
            at = end
        return "".join(parts) + self.text[at:]

    def value(self, node: Node, new: Any, slot: Slot) -> None:
        """Make the node mean ``new``."""
        if not isinstance(new, Text) and same(node.value, new):
            return
        if node.anchor:
            self.renewed[node] = new
        if not _alike(node, new):
            self.replace(node, new, slot)
        elif node.flow:
            from krmfn.krm import brackets

            self.edits += brackets.edits(self.text, node, new)
        elif node.kind is MAP:
            self.mapping(node, new, slot)
        elif node.kind is LIST:
            self.sequence(node, new, slot)
        elif not self.scalar(node, new, slot):
            self.replace(node, new, slot)

    def aliases(self) -> None:
        """Write out the aliases that do not stand for what they have to mean any more."""
        for alias in [node for node in below(self.source.node) if node.kind is ALIAS]:
            new = self.waiting.get(alias, alias.value)
            gone = any(start <= alias.start < end for start, end, _ in self.edits)
            if not gone and not same(self.renewed.get(alias.target or alias, alias.value), new):
                self.edits.append((alias.start, alias.end, emit.flow(new, in_flow=alias.flow)))

    def mapping(self, node: Node, new: dict[str, Any], slot: Slot) -> None:
        """Change, remove and add entries of a block mapping."""
        names = ["" if merges(key) else name(key) for key, _ in node.children]
        kept = [merges(key) or own in new for (key, _), own in zip(node.children, names, strict=True)]
        if True not in kept or not node.value.keys() - set(names) <= new.keys():
            self.replace(node, new, slot)
            return
        for (key, child), own in zip(node.children, names, strict=True):
            if own in new:
                self.entry(key, child, new[own])
        added: dict[int, dict[str, Any]] = {}
        last = -1
        for key, value in new.items():
            if key in names:
                last = names.index(key)
            elif key not in node.value or not same(node.value[key], value):
                added.setdefault(last, {})[key] = value
        starts = [key.start for key, _ in node.children]
        rows = _Rows(self.source, starts, [child.end for _, child in node.children], slot.opening)
        self.rearrange(rows, kept, added, node)

    def entry(self, key: Node, child: Node, new: Any) -> None:
        """Make the value of a key mean ``new``."""
        if isinstance(new, Text) or not same(child.value, new):
            self.value(child, new, self.source.value_slot(key))

    def sequence(self, node: Node, new: list[Any], slot: Slot) -> None:
        """Change, remove and add items of a block list."""
        slots = self.source.item_slots(node)
        kept = [False] * len(slots)
        added: dict[int, list[Any]] = {}
        last = -1
        for i, j in pairs(node.value, new):
            if i is None or j is None:
                if j is not None:
                    added.setdefault(last, []).append(new[j])
                continue
            last = i
            kept[i] = True
            self.value(node.children[i], new[j], slots[i])
        if True not in kept:
            self.replace(node, new, slot)
            return
        starts = [each.opening - 1 for each in slots]
        rows = _Rows(self.source, starts, [child.end for child in node.children], slot.opening)
        self.rearrange(rows, kept, added, node)

    def rearrange(self, rows: _Rows, kept: list[bool], added: dict[int, Any], node: Node) -> None:
        """Remove the rows that are not kept, and add others after those they follow (-1: in front)."""
        first = kept.index(True)
        front = self.cut_front(rows, first) if first else rows.starts[0]
        for i in range(first, len(kept)):
            if not kept[i]:
                self.edits.append((rows.above(self.source, i), rows.after(self.source, i), ""))
        margin = " " * rows.column
        for i, values in added.items():
            text = emit.block(values, rows.column, measured(node, self.source.style))
            if i < 0 and rows.in_line:
                self.edits.append((front, front, text + "\n" + margin))
            else:
                at = rows.above(self.source, first) if i < 0 else rows.after(self.source, i)
                self.edits.append((at, at, margin + text + "\n"))

    def cut_front(self, rows: _Rows, first: int) -> int:
        """Remove the rows before ``first``; return where that leaves off."""
        start = rows.starts[0] if rows.in_line else rows.above(self.source, 0)
        end = rows.after(self.source, first - 1)
        if rows.in_line:
            end += len(self.text[end:]) - len(self.text[end:].lstrip())
        self.edits.append((start, end, ""))
        return end

    def scalar(self, node: Node, new: Any, slot: Slot) -> bool:
        """Put a scalar in the place of another if it can stand on its line, or be a block scalar as the other was."""
        if node.style in ("|", ">"):
            return self.literal(node, new, slot)
        quoted = node.style in ("'", '"')
        if node.body == node.end or (isinstance(new, str) and "\n" in new and not quoted):
            return False
        text = scalar(new, node.style if quoted else "")
        if node.tag:
            self.edits.append((node.start, node.end, f"&{node.anchor} {text}" if node.anchor else text))
        else:
            self.edits.append((node.body, node.end, text))
        return True

    def literal(self, node: Node, new: Any, slot: Slot) -> bool:
        """Put a literal block in the place of a block scalar, its lines in the same column."""
        import re

        first = re.compile(_FIRST_LINE).match(self.text, node.body, node.end)
        column = len(first[1]) if first else slot.column + 2
        base = column - slot.column
        lines = emit.literal(new, column, single=True, base=base) if isinstance(new, str) and 0 < base < 10 else ""  # noqa: PLR2004
        if not lines:
            return False
        head, _, body = lines.partition("\n")
        self.edits.append((node.body, node.end, head + self.source.comment(node, slot) + "\n" + body))
        return True

    def replace(self, node: Node, new: Any, slot: Slot) -> None:
        """Write a value anew; the comment of its line stays."""
        if node.kind is ALIAS and not isinstance(new, Text):
            self.waiting[node] = new
            return
        if slot.column < 0:
            raise UnfitError
        comment = self.source.comment(node, slot)
        stop = self.stop(node, slot)
        if not emit.is_block(new):
            gap = self.text[slot.opening : node.start]
            gap = " " if gap.strip(" ") or not gap else gap
            self.edits.append((slot.opening, stop, gap + emit.in_line(new, slot.column + 2, comment)))
        elif slot.dash:
            inner = node.column if is_block(node) else slot.column + 2
            gap = f"{comment}\n{' ' * inner}" if comment else " " * (inner - slot.column - 1)
            self.edits.append((slot.opening, stop, gap + emit.block(new, inner, self.source.style)))
        elif is_block(node) and (node.kind is LIST) is emit.is_list(new):
            start = self.source.line_end(slot.opening) + 1
            self.edits.append((start, stop, emit.lines(new, self.source.column(node), self.source.style)))
        else:
            self.edits.append((slot.opening, stop, emit.after_colon(new, slot.column, self.source.style, comment)))

    def stop(self, node: Node, slot: Slot) -> int:
        """Return where what is replaced leaves off: at the end of a line."""
        if is_block(node):
            return self.source.last_line_end(node.end, slot.column)
        return node.end if node.style in ("|", ">") else self.source.line_end(node.end)


def _alike(node: Node, new: Any) -> bool:
    """Say whether a node can come to mean ``new`` by smaller edits."""
    if node.kind is MAP:
        return isinstance(new, dict) and bool(new) and bool(node.children)
    if node.kind is LIST:
        return isinstance(new, list) and bool(new) and bool(node.children)
    return node.kind is SCALAR and not isinstance(new, (dict, list, Text))
