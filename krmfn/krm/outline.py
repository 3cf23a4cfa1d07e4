"""The top level of a ResourceList, by libyaml's events: where its fields lie and where each object of `items` does.

Offsets count characters, as libyaml's marks do. A byte order mark has to be taken off first, since it shifts them.
"""

from __future__ import annotations

from krmfn.errors import KrmfnError, NotYaml
from krmfn.frozen import Value
from krmfn.krm.libyaml import CParser, YAMLError, events, not_yaml

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

# Far deeper than any manifest, and flat enough for whatever reads our output.
DEEPEST = 200
DIRECTIVES = "Kubernetes tools refuse % directives; remove the line"
KIND = "ResourceList"
HINT = "a KRM function reads what kpt or kustomize send; for plain manifests use `krmfn render`"
_OPENING = (events.MappingStartEvent, events.SequenceStartEvent)
_CLOSING = (events.MappingEndEvent, events.SequenceEndEvent)


class Node(Value):
    """Where a value lies in the text, and the event that it begins with."""

    event: Any
    start: int
    end: int

    @property
    def block_list(self) -> bool:
        """Tell whether this is a list of lines with dashes."""
        return isinstance(self.event, events.SequenceStartEvent) and not self.event.flow_style


class Outline(Value):
    """The fields of the top-level mapping, and the elements of `items` as (start, end)."""

    fields: dict[str, Node]
    elements: list[tuple[int, int]]

    def require_list(self) -> None:
        """Raise KrmfnError or NotYaml unless this is a ResourceList with a list of items."""
        for name in ("apiVersion", "kind"):
            found = getattr(self.fields[name].event, "value", None) if name in self.fields else None
            if found is None or (name == "kind" and found != KIND):
                raise KrmfnError(f"the input is not a ResourceList: its {name} is {found or 'missing'}; {HINT}")
        if "items" not in self.fields:
            raise KrmfnError(f"the ResourceList has no `items`; {HINT}")
        items = self.fields["items"].event
        if isinstance(items, events.SequenceStartEvent) or getattr(items, "value", None) in {"", "~", "null"}:
            return
        raise misread(items, "`items` is not a list; write one `- ` line for each object")


def walk(text: str | bytes, *, line: int = 1, file: str = "") -> Iterator[Any]:
    """Yield libyaml's events; ``line`` is the number of the text's first line in ``file``, for messages.

    Raises NotYaml where the text is not YAML, or nests too deeply to be a manifest.
    """
    parser, depth = CParser(text), 0
    try:
        while (event := parser.get_event()) is not None:
            if isinstance(event, _OPENING):
                depth += 1
                if depth > DEEPEST:
                    raise misread(event, f"nests deeper than {DEEPEST} levels; no manifest does", line=line, file=file)
            elif isinstance(event, _CLOSING):
                depth -= 1
            yield event
    except YAMLError as error:
        raise not_yaml(error, text, line=line, file=file) from None


def misread(event: Any, message: str, *, line: int = 1, file: str = "") -> NotYaml:
    """Return the complaint about what begins with an event."""
    mark = event.start_mark
    return NotYaml(message, line=line + mark.line, column=mark.column + 1, file=file)


def decoded(data: bytes, file: str = "") -> str:
    """Decode UTF-8, or raise NotYaml with the place of the first byte that is not."""
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = len(data[data.rfind(b"\n", 0, error.start) + 1 : error.start].decode()) + 1
        message = f"byte {error.start} (0x{data[error.start]:02x}) is not UTF-8; save the text as UTF-8"
        raise NotYaml(message, line=line, column=column, file=file) from None


def outline(text: str) -> Outline:
    """Read the top level of the one document in a text.

    Raises:
        NotYaml: the text is not YAML, has a directive, a field twice, or a second document.
        KrmfnError: the document is not a mapping of names to values.
    """
    told = walk(text)
    next(told)
    start, root = next(told), next(told, None)
    if getattr(start, "version", None) or getattr(start, "tags", None):
        raise misread(start, DIRECTIVES)
    if not isinstance(root, events.MappingStartEvent):
        raise KrmfnError("the input is not a ResourceList: its document is not a mapping")
    fields: dict[str, Node] = {}
    elements: list[tuple[int, int]] = []
    while not isinstance(key := next(told), events.MappingEndEvent):
        name = _name(key, fields)
        fields[name] = _node(told, elements if name == "items" else None)
    _end(told)
    return Outline(fields, elements)


def _name(key: Any, fields: dict[str, Node]) -> str:
    if not isinstance(key, events.ScalarEvent):
        raise misread(key, "a field of a ResourceList is not named by a string")
    if key.value in fields:
        raise misread(key, f"the field `{key.value}` is there twice; remove one of them")
    return str(key.value)


def _node(told: Iterator[Any], elements: list[tuple[int, int]] | None = None) -> Node:
    """Consume one value; where it is a sequence, collect its elements."""
    first = next(told)
    if elements is not None and isinstance(first, events.SequenceStartEvent):
        while not isinstance(last := next(told), events.SequenceEndEvent):
            elements.append((last.start_mark.index, _skip(told, last).end_mark.index))
    else:
        last = _skip(told, first)
    return Node(first, first.start_mark.index, last.end_mark.index)


def _skip(told: Iterator[Any], event: Any) -> Any:
    """Consume the rest of the value that an event begins; return its last event."""
    depth = 0
    while True:
        if isinstance(event, _OPENING):
            depth += 1
        elif isinstance(event, _CLOSING):
            depth -= 1
        if not depth:
            return event
        event = next(told)


def _end(told: Iterator[Any]) -> None:
    """Consume the end of the document, behind which nothing may be."""
    next(told)
    following = next(told)
    if not isinstance(following, events.StreamEndEvent):
        raise misread(following, "a second document begins here; a ResourceList is one document, so remove the rest")


def kind(text: bytes) -> str:
    """Return the `kind` of the first document; "" where it has none that is a string. Reads no further than that."""
    told = walk(text)
    opening = [next(told, None) for _ in range(3)]
    if not isinstance(opening[-1], events.MappingStartEvent):
        return ""
    while not isinstance(key := next(told), events.MappingEndEvent):
        if getattr(key, "value", None) == "kind":
            return str(getattr(next(told), "value", ""))
        _skip(told, key)
        _skip(told, next(told))
    return ""
