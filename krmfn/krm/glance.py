"""The value of a text, and nothing of where it stands: to read back what was written takes half as long without nodes.

Only texts without anchors, tags, merge keys and the like are read here, which are nearly all; whoever gets ``UNSURE``
asks the tree.
"""

from __future__ import annotations

from krmfn.krm import scalars
from krmfn.krm.libyaml import CParser, YAMLError, events
from krmfn.krm.tree import DEEPEST

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

UNSURE: Any = object()
_SCALAR, _ALIAS = events.ScalarEvent, events.AliasEvent
_MAP, _MAP_ENDS = events.MappingStartEvent, events.MappingEndEvent
_LIST, _LIST_ENDS = events.SequenceStartEvent, events.SequenceEndEvent


class _UnsureError(Exception):
    """The text has something in it that is not read here."""


def value(text: str) -> Any:
    """Return what the API server reads in a document, or ``UNSURE``; never raises."""
    read = CParser(text).get_event
    try:
        read()
        document = read()
        if type(document) is not events.DocumentStartEvent or document.version or document.tags:
            return UNSURE
        found = _value(read, read(), DEEPEST)
        read()
        return found if type(read()) is events.StreamEndEvent else UNSURE
    except (YAMLError, ValueError, _UnsureError):
        return UNSURE


def _value(read: Callable[[], Any], event: Any, left: int) -> Any:
    """Return the value that begins with an event; ``left`` is how much deeper it may be nested."""
    kind = type(event)
    if kind is _ALIAS or event.anchor or event.tag or not left:
        raise _UnsureError
    if kind is _SCALAR:
        return event.value if event.style else scalars.resolve(event.value)
    return _mapping(read, left - 1) if kind is _MAP else _list(read, left - 1)


def _mapping(read: Callable[[], Any], left: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    while type(event := read()) is not _MAP_ENDS:
        key = _value(read, event, left)
        if type(key) is not str or key == "<<" or key in found:
            raise _UnsureError
        found[key] = _value(read, read(), left)
    return found


def _list(read: Callable[[], Any], left: int) -> list[Any]:
    found = []
    while type(event := read()) is not _LIST_ENDS:
        found.append(_value(read, event, left))
    return found
