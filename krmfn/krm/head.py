"""The head of an object: what it is called and where it came from, read without reading the rest.

A package has thousands of objects of which a run changes a handful, so this stops at the end of ``metadata``.
"""

from __future__ import annotations

from krmfn.krm import scalars
from krmfn.krm.libyaml import CParser, YAMLError, events

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Head = dict[tuple[str, ...], str]

_ANNOTATIONS = ("metadata", "annotations")
_INSIDE = ((), ("metadata",), _ANNOTATIONS)
_LAST = {("apiVersion",), ("kind",), ("metadata",)}


def head(text: str, *, listed: bool) -> Head | None:
    """Return the scalars at the top of an object, in its metadata and in its annotations, by their paths.

    ``listed``: the text is a list of one. Returns None where only a full parse can tell, because of aliases or merge
    keys, and {} for what is no mapping or no YAML.
    """
    reader = _Reader(listed=listed)
    try:
        return reader.read(CParser(text))
    except (YAMLError, UnicodeEncodeError):
        return {}
    except _AliasedError:
        return None


def of_value(value: Any) -> Head:
    """Return the head of an object that has been parsed."""
    found: Head = {}
    for path in _INSIDE:
        inside = value
        for key in path:
            inside = inside.get(key) if isinstance(inside, dict) else None
        if isinstance(inside, dict):
            found |= {(*path, key): _text(inside[key]) for key in inside if not isinstance(inside[key], (dict, list))}
    return found


def origin(found: Head) -> tuple[str, int]:
    """Return file and index from kpt's annotations, the internal ones before the legacy ones; "" and 0 without."""
    for prefix in ("internal.config.kubernetes.io/", "config.kubernetes.io/"):
        path = found.get((*_ANNOTATIONS, prefix + "path"))
        if path is not None:
            index = found.get((*_ANNOTATIONS, prefix + "index"), "0")
            return path, int(index) if index.isascii() and index.isdigit() and len(index) < 10 else 0  # noqa: PLR2004
    return "", 0


def _text(value: Any) -> str:
    """Return a scalar as it reads; "" for null."""
    return "" if value is None else scalars.key(value)


class _AliasedError(Exception):
    """The head says that something stands elsewhere."""


class _Reader:
    """A walk over events that looks only where a head can be."""

    def __init__(self, *, listed: bool) -> None:
        self.found: Head = {}
        self.path: tuple[str, ...] = ()
        self.key: str | None = None
        self.seen: set[tuple[str, ...]] = set()
        self.skipped = 0  # how many levels below what is looked at
        self.outer = 1 if listed else 0
        self.begun = False

    def read(self, parser: Any) -> Head:
        """Take events until apiVersion, kind and metadata are known."""
        steps = {
            events.ScalarEvent: self.scalar,
            events.MappingStartEvent: self.begin,
            events.SequenceStartEvent: self.enter,
            events.MappingEndEvent: self.leave,
            events.SequenceEndEvent: self.leave,
            events.AliasEvent: self.alias,
        }
        event = parser.get_event()
        while event is not None and not self.seen >= _LAST:
            step = steps.get(type(event))
            if step is not None:
                step(event)
            event = parser.get_event()
        return self.found

    def scalar(self, event: Any) -> None:
        """Take a key, or the value of one."""
        if self.skipped or not self.begun:
            return
        if self.key is None:
            if event.value == "<<" and not event.style:
                raise _AliasedError
            self.key = event.value
            return
        plain = not event.style and not event.tag
        self.found[*self.path, self.key] = "" if plain and event.value in ("~", "null") else event.value
        self.known()

    def begin(self, event: Any) -> None:
        """Go into the object, its metadata and its annotations; pass over any other mapping."""
        if not self.skipped and not self.begun:
            self.begun = True
        elif not self.skipped and self.key is not None and (*self.path, self.key) in _INSIDE:
            self.path, self.key = (*self.path, self.key), None
        else:
            self.enter(event)

    def enter(self, _event: Any) -> None:
        """Pass over a list, except the one around the object."""
        if self.outer and not self.begun:
            self.outer -= 1
        else:
            self.skipped += 1

    def leave(self, _event: Any) -> None:
        """Come back from a mapping or a list."""
        if self.skipped:
            self.skipped -= 1
            if not self.skipped:
                self.known()
        elif self.path:
            self.path, self.key = self.path[:-1], self.path[-1]
            self.known()

    def alias(self, _event: Any) -> None:
        """Give up where a name could stand elsewhere."""
        if not self.skipped:
            raise _AliasedError

    def known(self) -> None:
        """Note that the key's value is complete."""
        if self.key is not None:
            self.seen.add((*self.path, self.key))
        self.key = None
