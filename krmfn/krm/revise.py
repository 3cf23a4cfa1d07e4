"""How an object gets another meaning: three ways to write it, each read back before it is believed.

First surgical edits, which keep all that the author wrote; then ruamel.yaml's round trip, which keeps most of it, for
the few texts whose anchors, merge keys or complex layout stand in the way; then the whole object anew.
"""

from __future__ import annotations

from krmfn.errors import KrmfnError, NotYaml
from krmfn.krm import edit, emit, glance
from krmfn.krm.alike import same
from krmfn.krm.emit import Text
from krmfn.krm.nodes import LIST, MAP, is_block, merges, name
from krmfn.krm.source import Source, UnfitError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import Any

    from krmfn.krm.nodes import Node
    from krmfn.krm.source import Slot

    Path = tuple[str | int, ...]
    Verbatim = Mapping[Path, str]


def revised(source: Source, value: Any, verbatim: Verbatim) -> str:
    """Return the text of the source, changed to mean ``value``, with the author's own text at some paths.

    Raises NotYaml where the source is none, and KrmfnError where the value cannot be YAML.
    """
    planted = _planted(value, verbatim, source)
    if planted is value and same(source.value, value):
        return source.outer(source.text)
    return _first_true(_attempts(source, value, planted), value, source.listed)


def drafted(value: Any) -> bytes:
    """Return a new document that should mean ``value``; raises KrmfnError where that cannot be."""
    try:
        return _emitted(value).encode()
    except ValueError as error:
        message = f"cannot be written as YAML: {error}"
        raise KrmfnError(message) from None


def believed(text: str, value: Any) -> str:
    """Return a document that does mean ``value``; raises KrmfnError where it does not."""
    return _first_true([lambda: text], value)


def listed(value: Any, column: int) -> str:
    """Return a new item of a list, with its dash at a column, that means ``value``."""
    return _first_true([lambda: f"- {emit.block(value, column + 2)}\n"], value, column)


def moved(source: Source, listed: int | None) -> str:
    """Return the text of the object for a list with dashes at column ``listed``, or as a document (None).

    As items do here, a text for a list begins with its dash.
    """
    value = source.value
    text = _first_true((lambda: _as_document(source), lambda: _emitted(value)), value)
    if listed is not None:
        document = text
        ways = (lambda: _as_item(document, listed), lambda: _as_item(_emitted(value), listed))
        text = _first_true(ways, value, listed)
    return text.replace("\n", "\r\n") if source.crlf else text


def excerpt(source: Source, path: Path) -> str:
    """Return the text of the value at ``path`` as a document of its own, with the comments inside it.

    What stands on the line of the key belongs to the key. Raises KeyError where there is nothing.
    """
    value = _looked_up(source.value, path)
    if not path:
        return moved(source, None).replace("\r\n", "\n")
    return _first_true((lambda: _cut_out(source, path), lambda: _emitted(value)), value)


def _first_true(ways: Iterable[Callable[[], str]], value: Any, listed: int | None = None) -> str:
    """Return the first text that means ``value`` when it is read back."""
    reason = ""
    for way in ways:
        try:
            text = way()
            if same(_meaning(text, listed), value):
                return text
        except (UnfitError, NotYaml, ValueError) as error:
            reason = f": {error}" if str(error) else reason
    message = f"cannot be written as YAML{reason}"
    raise KrmfnError(message)


def _meaning(text: str, listed: int | None) -> Any:
    """Return what a text means that was just written."""
    found = glance.value(text if listed is None else " " * listed + text)
    if listed is not None and isinstance(found, list) and len(found) == 1:
        return found[0]
    return found if listed is None and found is not glance.UNSURE else Source(text, listed).value


def _attempts(source: Source, value: Any, planted: Any) -> Iterator[Callable[[], str]]:
    """Yield the ways to write a changed object, the gentlest first."""
    yield lambda: source.outer(edit.edited(source, planted))
    if source.open_end:
        yield lambda: source.outer(edit.edited(source.closed(), planted), ended=True)
    if planted is not value:
        yield lambda: source.outer(edit.edited(source, value))
    from krmfn.krm.roundtrip import rewritten

    yield lambda: _placed(source, rewritten(_as_document(source), source.value, value, source.style))
    yield lambda: _placed(source, _emitted(planted))
    yield lambda: _placed(source, _emitted(value))


def _emitted(value: Any) -> str:
    return emit.lines(value, 0) + "\n"


def _placed(source: Source, document: str) -> str:
    """Put a document in the place of the source."""
    if source.listed is None:
        return source.outer(document)
    return source.outer(" " * source.listed + _as_item(document, source.listed))


def _as_document(source: Source) -> str:
    """Return the text of an item without its dash, at the left edge."""
    if source.listed is None:
        return source.text
    text = source.text[: source.listed] + " " + source.text[source.listed + 1 :]
    return emit.shifted(text, -source.node.column).lstrip("\n")


def _as_item(document: str, listed: int) -> str:
    """Return a document as an item of a list, from its dash on."""
    column = Source(document).node.column
    return "- " + emit.shifted(document, listed + 2 - column).lstrip(" \n")


def _cut_out(source: Source, path: Path) -> str:
    """Return the lines of a block, moved left as far as all of them can go; of anything else, its own characters.

    Raises UnfitError for block scalars, whose lines are nothing without their parent's column.
    """
    node, slot = source.node, source.slot
    for step in path:
        node, slot = _inside(source, node, slot, step)
    if node.style in ("|", ">"):
        raise UnfitError
    if not is_block(node):
        return _cut(source, node.start, node.end, node) + "\n"
    start = source.line_end(slot.opening) + 1
    margin = ""
    if node.body < start:
        start = slot.opening
        margin = " " * (start - source.line_start(start))
    text = margin + _cut(source, start, source.last_line_end(node.end, slot.column), node)
    depth = min(len(line) - len(line.lstrip(" ")) for line in text.split("\n") if line)
    return emit.shifted(text, -depth) + "\n"


def _cut(source: Source, start: int, end: int, node: Node) -> str:
    """Return a part of a text, in which the node stands, so that it can be read alone."""
    text = source.text[start:end]
    if "*" not in text:
        return text
    from krmfn.krm.anchors import lent

    return lent(source.text, (start, end), node)


def _inside(source: Source, node: Node, slot: Slot, step: str | int) -> tuple[Node, Slot]:
    """Return the node one step further and its slot; raises UnfitError where it stands elsewhere in the text."""
    if node.kind is LIST and isinstance(step, int):
        return node.children[step], slot if node.flow else source.item_slots(node)[step]
    for key, child in node.children if node.kind is MAP else ():
        if name(key) == step and not merges(key):
            return child, slot if node.flow else source.value_slot(key)
    raise UnfitError


def _looked_up(value: Any, path: Path) -> Any:
    """Return the value at a path; raises KeyError where there is none."""
    for step in path:
        try:
            value = value[step]
        except (IndexError, TypeError):
            raise KeyError(path) from None
    return value


def _planted(value: Any, verbatim: Verbatim, source: Source) -> Any:
    """Return the value with a text in the place of every value that a verbatim text means."""
    for path, text in verbatim.items():
        shared = _shared(source, path) if "&" in text else {}
        leaf = _leaf(text, _looked_up(value, path), shared) if path else None
        value = _with_leaf(value, path, leaf) if leaf else value
    return value


def _with_leaf(value: Any, path: Path, leaf: Text) -> Any:
    """Return a copy of the value with a leaf at the path."""
    if not path or isinstance(value, Text):
        return value if path else leaf
    inner = _with_leaf(value[path[0]], path[1:], leaf)
    if isinstance(value, dict):
        return {**value, path[0]: inner}
    return [inner if i == path[0] else item for i, item in enumerate(value)]


def _shared(source: Source, path: Path) -> dict[str, Any]:
    """Return what aliases stand for at a path of a text; nothing where that is not there."""
    from krmfn.krm.anchors import known

    node, slot = source.node, source.slot
    try:
        for step in path:
            node, slot = _inside(source, node, slot, step)
    except (UnfitError, IndexError):
        return {}
    return known(source.tree, node.start)


def _leaf(text: str, value: Any, shared: dict[str, Any]) -> Text | None:
    """Return the text of a mapping or list as a leaf, if it means the value."""
    try:
        source = Source(text)
        node = source.node
    except NotYaml:
        return None
    if node.kind not in (MAP, LIST) or not same(node.value, value):
        return None
    block = is_block(node)
    start, end = (0, source.last_line_end(node.end, -1)) if block else (node.start, node.end)
    own = source.text[start:end]
    if "&" in own:
        from krmfn.krm.anchors import returned

        own = returned(source.text, (start, end), node, shared)
    return Text(own, value, column=node.column, block=True) if block else Text(own, value)
