r"""The text of one object while it is being worked on: its nodes, and where its lines begin and end.

Line ends are `\n` in here whatever they are outside, and a byte order mark waits at the door, so that nothing else has
to think of either.
"""

from __future__ import annotations

from krmfn.errors import NotYaml
from krmfn.krm import tree
from krmfn.krm.emit import Style
from krmfn.krm.nodes import LIST, MAP, SCALAR, is_block

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from krmfn.krm.nodes import Node

BLANKS = " \t"
LONGEST = 16_000_000


class UnfitError(Exception):
    """The text cannot be edited in place."""


class Slot:
    """Where a value stands: behind the colon of a key, or behind a dash, which is at ``column``.

    ``opening`` is the offset after that character.
    """

    __slots__ = ("column", "dash", "opening")

    def __init__(self, column: int, opening: int, *, dash: bool) -> None:
        """Note a place."""
        self.column = column
        self.opening = opening
        self.dash = dash


class Source:
    """A text and its tree.

    ``listed``: the text is a list of one, its dash in that column; None: a document. ``text`` always ends a line.
    """

    __slots__ = ("_style", "_tree", "crlf", "listed", "mark", "open_end", "text")

    def __init__(self, text: str, listed: int | None = None) -> None:
        """Take the text of an item; the columns before its dash are filled up with spaces."""
        self.listed = listed
        self.mark = text[:1] == "\ufeff"
        text = " " * (listed or 0) + text[self.mark :]
        self.crlf = "\r" in text and text.count("\r") == text.count("\n") == text.count("\r\n")
        text = text.replace("\r\n", "\n") if self.crlf else text
        self.open_end = not text.endswith("\n")
        self.text = text + "\n" * self.open_end
        self._tree: Node | None = None
        self._style: Style | None = None

    def outer(self, text: str, *, ended: bool = False) -> str:
        """Return a text of this kind as it has to be outside; ``ended``: with its last line break in any case."""
        text = text.removesuffix("\n") if self.open_end and not ended else text
        text = text.replace("\n", "\r\n") if self.crlf else text
        return "\ufeff" * self.mark + text[self.listed or 0 :]

    def closed(self) -> Source:
        """Return the same text with a last line break, which may mean that its last literal block ends with one."""
        return Source(self.outer(self.text, ended=True), self.listed)

    @property
    def tree(self) -> Node:
        """The root of the text; raises NotYaml, also where there is nothing."""
        if len(self.text) > LONGEST:
            raise NotYaml(f"an object of {len(self.text)} characters; a cluster takes three million at most")
        if self._tree is None:
            found = tree.recall(self.text[:-1] if self.open_end else self.text)
            if found is None:
                raise NotYaml("there is nothing but comments where an object is expected")
            if self.listed is not None and (found.kind is not LIST or len(found.children) != 1):
                raise NotYaml("not one item of a list", line=1, column=self.listed + 1)
            self._tree = found
        return self._tree

    @property
    def node(self) -> Node:
        """The node of the object itself."""
        return self.tree if self.listed is None else self.tree.children[0]

    @property
    def value(self) -> Any:
        """What the object means."""
        return self.node.value

    @property
    def slot(self) -> Slot:
        """Where the object stands."""
        if self.listed is None:
            return Slot(-1, 0, dash=False)
        return Slot(self.listed, self.listed + 1, dash=True)

    @property
    def style(self) -> Style:
        """The indentation this text uses where it first shows one."""
        if self._style is None:
            self._style = measured(self.node, Style())
        return self._style

    def line_start(self, at: int) -> int:
        """Return where the line of an offset begins."""
        return self.text.rfind("\n", 0, at) + 1

    def line_end(self, at: int) -> int:
        """Return the offset of the newline that ends the line."""
        return self.text.index("\n", at)

    def starts_line(self, at: int) -> bool:
        """Say whether only spaces stand before an offset on its line."""
        return not self.text[self.line_start(at) : at].strip(" ")

    def last_line_end(self, end: int, column: int) -> int:
        """Return the end of the line of ``end``, or of the last comment below it that is deeper than ``column``."""
        found = at = self.line_end(end)
        while (at := self.text.find("\n", start := at + 1)) >= 0:
            bare = self.text[start:at].lstrip(" ")
            if bare.startswith("#") and at - start - len(bare) > column:
                found = at
            elif bare.strip(BLANKS):
                break
        return found

    def above(self, start: int, floor: int) -> int:
        """Return where the comments begin that stand directly above a line, in its column and below ``floor``."""
        found = self.line_start(start)
        sign = " " * (start - found) + "#"
        while found and (before := self.line_start(found - 1)) > floor and self.text.startswith(sign, before):
            found = before
        return found

    def value_slot(self, key: Node) -> Slot:
        """Return the slot behind a key of a block mapping; raises UnfitError for `? key`."""
        colon = self.text.find(":", key.end)
        if colon < 0 or self.text[key.end : colon].strip(BLANKS):
            raise UnfitError
        return Slot(int(key.mark.column), colon + 1, dash=False)

    def item_slots(self, node: Node) -> list[Slot]:
        """Return the slots of a block list."""
        slots = []
        end = node.body
        for child in node.children:
            dash = self.dash(end)
            slots.append(Slot(dash - self.line_start(dash), dash + 1, dash=True))
            end = child.end
        return slots

    def column(self, node: Node) -> int:
        """Return where the rows of a block begin; an anchor or a tag of a list stands behind its key."""
        if node.kind is MAP or node.body == node.start:
            return node.column
        dash = self.dash(node.body)
        return dash - self.line_start(dash)

    def dash(self, at: int) -> int:
        """Return where the dash is behind blanks, line breaks and comments; raises UnfitError where none is."""
        while self.text[at].isspace() or self.text[at] == "#":
            at = self.line_end(at) if self.text[at] == "#" else at + 1
        if self.text[at] != "-":
            raise UnfitError
        return at

    def comment(self, node: Node, slot: Slot) -> str:
        """Return the comment that belongs to the line of the key or dash, with the spaces before it."""
        if is_block(node):
            start, end = slot.opening, self.line_end(slot.opening)
            if node.body <= end:
                return ""
        else:
            start = node.body if node.kind is SCALAR and node.style in ("|", ">") else node.end
            end = self.line_end(start)
        line = self.text[start:end]
        at = comment_sign(line)
        before = line[: max(at, 0)].rstrip(BLANKS)
        return line[len(before) :] if at > 0 and (not before or start != node.end) else ""


def comment_sign(line: str) -> int:
    """Return where the comment of a line begins, -1 where it has none."""
    at = line.find("#")
    while at > 0 and line[at - 1] not in BLANKS:
        at = line.find("#", at + 1)
    return at


def measured(node: Node, default: Style) -> Style:
    """Return the indentation used in and below a node, as far as it shows any."""
    step: int | None = None
    hang: int | None = None
    todo = [node]
    while todo and (step is None or hang is None):
        parent = todo.pop()
        children = [child for _, child in parent.children] if parent.kind is MAP else parent.children
        blocks = [child for child in children if is_block(child)]
        todo += reversed(blocks)
        for child in blocks if parent.kind is MAP else ():
            if child.kind is MAP:
                step = child.column - parent.column if step is None else step
            elif not child.tag and not child.anchor:
                hang = child.column - parent.column if hang is None else hang
    return Style(default.step if step is None else step, default.hang if hang is None else hang)
