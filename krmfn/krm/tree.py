"""Text to nodes: every scalar, mapping and list of a YAML document, with its place in the text and its value.

Nodes are built from libyaml's events with a stack of our own, so that no nesting can exhaust the interpreter's. What
the API server would not accept, or what readers disagree about, is an error here: duplicate, null and complex keys,
directives, several documents, aliases that contain themselves or that expand to more than anyone could have meant.
"""

from __future__ import annotations

from krmfn.errors import NotYaml
from krmfn.krm import scalars
from krmfn.krm.libyaml import CParser, YAMLError, events, not_yaml
from krmfn.krm.nodes import ALIAS, LIST, MAP, SCALAR, Node, is_block, merges, name, shift

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

DEEPEST = 200
LARGEST = 1_000_000  # the cluster takes three megabytes in one request
_PROPERTIES = r"(?:[&!]\S*+(?:\s|(?<=\s)#[^\n]*+)*+)++"
# Enough for the texts of a few rollouts, and for a few megabytes of nodes.
_MOST_REMEMBERED, _LONGEST_REMEMBERED = 64, 8192
_RECENT: dict[str, Node | None] = {}

__all__ = ["ALIAS", "LIST", "MAP", "SCALAR", "Node", "is_block", "merges", "name", "parse", "recall"]


def parse(text: str, *, largest: int = LARGEST) -> Node | None:
    """Return the root of the only document in ``text``, or None where there is no document.

    A byte order mark counts as a character of the text. ``largest`` bounds the number of nodes, aliases expanded.
    Raises NotYaml.
    """
    mark = text[:1] == "\ufeff"
    tree = _Tree(text[1:] if mark else text, largest)
    try:
        root = tree.grow()
    except (YAMLError, UnicodeEncodeError) as error:
        raise not_yaml(error, tree.text) from None
    except _WrongError as wrong:
        raise NotYaml(wrong.message, line=wrong.line + 1, column=wrong.column + 1) from None
    if mark and root:
        shift(root)
    return root


def recall(text: str) -> Node | None:
    """Return what ``parse`` returns, from memory for a text that was read a moment ago; nobody changes nodes.

    A run reads each of its texts three times on average: once to know it, once to change it, once to believe it.
    """
    if text in _RECENT:
        return _RECENT[text]
    root = parse(text)
    if len(text) <= _LONGEST_REMEMBERED:
        if len(_RECENT) == _MOST_REMEMBERED:
            del _RECENT[next(iter(_RECENT))]
        _RECENT[text] = root
    return root


class _WrongError(Exception):
    """What is wrong at a mark."""

    def __init__(self, message: str, mark: Any) -> None:
        self.message = message
        self.line = mark.line
        self.column = mark.column


class _Tree:
    """A tree that grows by one event at a time."""

    def __init__(self, text: str, largest: int) -> None:
        self.text = text
        self.largest = largest
        self.size = 0
        self.root: Node | None = None
        self.parent: Node | None = None  # the mapping or list that is open
        self.key: Node | None = None  # its key that waits for a value
        self.open: list[Node | None] = []  # what is open around it; none of these waits for a value
        self.anchors: dict[str, Node] = {}
        self.began: dict[Node, int] = {}  # the size of the tree when an anchored node began
        self.sizes: dict[Node, int] = {}  # how many nodes an anchored node has, aliases expanded

    def grow(self) -> Node | None:
        """Read the document to its end."""
        steps = {
            events.ScalarEvent: self.scalar,
            events.MappingStartEvent: self.begin,
            events.SequenceStartEvent: self.begin,
            events.MappingEndEvent: self.finish,
            events.SequenceEndEvent: self.finish,
            events.AliasEvent: self.alias,
            events.DocumentStartEvent: self.document,
        }
        parser = CParser(self.text)
        event = parser.get_event()
        while event is not None:
            step = steps.get(type(event))
            if step is not None:
                step(event)
            event = parser.get_event()
        return self.root

    def document(self, event: Any) -> None:
        """Accept one document without directives."""
        if event.version or event.tags:
            raise _WrongError("directives (%YAML, %TAG) are not accepted by Kubernetes", event.start_mark)
        if self.root is not None:
            raise _WrongError("a second document begins where one object is expected", event.start_mark)

    def scalar(self, event: Any) -> None:
        """Add a scalar and read its value."""
        node = Node(SCALAR, event)
        node.style = style = event.style or ""
        tag = event.tag
        try:
            if tag:
                node.value = scalars.tagged(event.value, tag)
            else:
                node.value = event.value if style else scalars.resolve(event.value)
        except ValueError as error:
            raise _WrongError(str(error), event.start_mark) from None
        self.place(node)
        if tag or node.anchor:
            self.properties(node, tag)
            node.body = min(node.body, node.end)
            self.complete(node)
        if style == "|" or style == ">":  # noqa: PLR1714 - a tuple would be built for every scalar
            self.trim(node)

    def trim(self, node: Node) -> None:
        """End a block scalar with its last line instead of where the next line begins."""
        text = self.text
        if not text[node.body + 1 : node.body + 3].lstrip("0123456789").startswith("+"):
            node.end = node.body + len(text[node.body : node.end].rstrip("\r\n"))
        elif text[node.end - 1] == "\n":
            node.end -= 2 if text[node.end - 2] == "\r" else 1

    def alias(self, event: Any) -> None:
        """Add an alias; its value is that of the node it stands for."""
        node = Node(ALIAS, event)
        target = self.anchors.get(event.anchor)
        if target is None:
            raise _WrongError(f"alias *{event.anchor} has no anchor in this object", event.start_mark)
        if target not in self.sizes:
            raise _WrongError(f"alias *{event.anchor} stands for a value that contains it", event.start_mark)
        node.target, node.anchor, node.value = target, None, target.value
        self.size += self.sizes[target]
        self.place(node)

    def begin(self, event: Any) -> None:
        """Open a mapping or a list."""
        node = Node(MAP if type(event) is events.MappingStartEvent else LIST, event)
        self.place(node)
        node.flow = node.flow or bool(event.flow_style)
        if event.tag or node.anchor:
            self.properties(node, event.tag)
        self.open.append(self.parent)
        self.parent, self.key = node, None
        if len(self.open) > DEEPEST:
            raise _WrongError(f"nested more than {DEEPEST} deep", event.start_mark)

    def finish(self, event: Any) -> None:
        """Close a mapping or a list and put its value together."""
        node: Any = self.parent
        self.parent, self.key = self.open.pop(), None
        mapping = node.kind is MAP
        if node.children and not node.flow:
            last = node.children[-1]
            node.end = last[1].end if mapping else last.end
        else:
            node.end = event.end_mark.index
        node.value = _mapping(node) if mapping else [child.value for child in node.children]
        if node.anchor:
            self.complete(node)

    def properties(self, node: Node, tag: str | None) -> None:
        """Note the tag, remember the anchor, and skip both to where the content begins."""
        import re  # starting is most of what a small run costs, and few texts have these

        node.tag = tag
        found = re.compile(_PROPERTIES).match(self.text, node.start)
        node.body = found.end() if found else node.start
        if node.anchor:
            self.anchors[node.anchor] = node
            self.began[node] = self.size - 1

    def complete(self, node: Node) -> None:
        """Remember the size of an anchored node: from now on, aliases may stand for it."""
        if node.anchor:
            self.sizes[node] = self.size - self.began[node]

    def place(self, node: Node) -> None:
        """Give the node to the mapping or list that is open."""
        self.size += 1
        if self.size > self.largest:
            raise _WrongError(f"more than {self.largest} values, aliases expanded", node.mark)
        parent = self.parent
        if parent is None:
            self.root = node
            return
        node.flow = parent.flow
        key = self.key
        if parent.kind is LIST:
            parent.children.append(node)
        elif key is None:
            self.key = node if type(node.value) is str else _checked_key(node)
        else:
            parent.children.append((key, node))
            self.key = None


def _checked_key(node: Node) -> Node:
    """Return the key if it is a string, or a scalar that JSON makes one of."""
    if node.kind in (MAP, LIST) or isinstance(node.value, (dict, list)):
        raise _WrongError("a key has to be a string, not a mapping or a list", node.mark)
    if node.value is None:
        raise _WrongError("a key has to be a string, not null", node.mark)
    return node


def _mapping(node: Node) -> dict[str, Any]:
    """Return the value of a mapping; its own keys win over merged ones, earlier merges over later ones."""
    value: dict[str, Any] = {}
    merged: list[Node] = []
    for key, child in node.children:
        if key.value == "<<" and merges(key):
            merged.append(child)
            continue
        own = name(key)
        if own in value:
            raise _WrongError(f"key {own!r} occurs twice in one mapping", key.mark)
        value[own] = child.value
    for child in merged:
        for source in child.value if isinstance(child.value, list) else [child.value]:
            if not isinstance(source, dict):
                raise _WrongError("a merge key (<<) needs a mapping or a list of mappings", child.mark)
            for inherited in source:
                value.setdefault(inherited, source[inherited])
    return value
