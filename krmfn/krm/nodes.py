"""Nodes of a YAML document: what stands where in the text, and what it means."""

from __future__ import annotations

from krmfn.krm import scalars

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

SCALAR, MAP, LIST, ALIAS = "scalar", "map", "list", "alias"


_NONE: list[Any] = []  # what is in a scalar; a list for each would take a tenth of the time of reading


class Node:
    """A node and its place.

    Offsets count characters: `text[start:end]` is all of it and `text[body:end]` all but its anchor and tag.
    ``children`` are (key, value) pairs of a map, or the items of a list; ``style`` is the quote of a scalar or its
    block indicator; ``flow`` is true inside and for brackets; ``value`` is what the API server reads. ``target`` is
    the node an alias stands for.
    """

    __slots__ = (
        "anchor",
        "body",
        "children",
        "end",
        "flow",
        "kind",
        "mark",
        "start",
        "style",
        "tag",
        "target",
        "value",
    )

    def __init__(self, kind: str, event: Any) -> None:
        """Begin with what every event tells."""
        self.kind = kind
        self.mark = event.start_mark
        self.start = self.body = self.mark.index
        self.end = event.end_mark.index
        self.anchor = event.anchor
        self.tag: str | None = None
        self.style = ""
        self.flow = False
        self.children: list[Any] = _NONE if kind is SCALAR else []
        self.target: Node | None = None
        self.value: Any = None

    @property
    def column(self) -> int:
        """Where the first key of a block mapping stands, or where any other node begins; counts from 0."""
        if self.kind == MAP and self.children and not self.flow:
            return int(self.children[0][0].mark.column)
        return int(self.mark.column)


def name(key: Node) -> str:
    """Return the name a key node stands for."""
    value = key.value
    return value if type(value) is str else scalars.key(value)


def merges(key: Node) -> bool:
    """Say whether this key is YAML 1.1's merge key."""
    return key.value == "<<" and not key.style and key.tag in (None, "tag:yaml.org,2002:merge")


def below(root: Node) -> Iterator[Node]:
    """Yield a node and all that it holds, in no particular order; what an alias stands for is not in it."""
    rest = [root]
    while rest:
        node = rest.pop()
        yield node
        rest += [part for pair in node.children for part in pair] if node.kind is MAP else node.children


def is_block(node: Node) -> bool:
    """Say whether a node is a mapping or list without brackets."""
    return node.kind in (MAP, LIST) and not node.flow


def shift(root: Node) -> None:
    """Move every node by the byte order mark, which libyaml does not count."""
    nodes = [root]
    while nodes:
        node = nodes.pop()
        node.start, node.body, node.end = node.start + 1, node.body + 1, node.end + 1
        nodes += [part for pair in node.children for part in pair] if node.kind is MAP else node.children
