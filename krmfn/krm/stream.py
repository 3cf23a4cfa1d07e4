"""A stream of YAML documents: where each lies, with the separator in front of it and the comments that belong to it.

A line that begins with `---` or `...` is a separator wherever it stands, since no scalar may hold one; so bytes tell
where documents begin, and libyaml has to tell only whether each is YAML.
"""

from __future__ import annotations

import re

from krmfn.errors import NotYaml
from krmfn.frozen import Value
from krmfn.krm.item import load, new, same
from krmfn.krm.libyaml import events
from krmfn.krm.outline import DIRECTIVES, walk
from krmfn.krm.slices import Slices, prove

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from krmfn.krm.item import Item

_SEPARATOR = re.compile(rb"---(?=[ \t\r\n]|\xc2\x85|\xe2\x80[\xa8\xa9]|\Z)")
_TERMINATOR = re.compile(rb"\.\.\.(?=[ \t\r\n]|\xc2\x85|\xe2\x80[\xa8\xa9]|\Z)")
_BREAKS = (b"\n", b"\r", b"\xc2\x85", b"\xe2\x80\xa8", b"\xe2\x80\xa9")
_REST_OF_SEPARATOR = re.compile(rb"---[ \t]*(?:#[^\r\n]*)?(?:\r\n?|\n|\Z)|---[ \t]*")
_DIRECTIVE = re.compile(rb"^%", re.MULTILINE)
BOM = b"\xef\xbb\xbf"


class Piece(Value):
    """The bytes from one separator to the next; ``data[start:end]`` is the document in them, where they are ``filled``."""

    begin: int
    start: int
    end: int
    stop: int
    filled: bool


class Stream:
    """The text of standard input or of the file ``path``: ``slices`` are the objects in it."""

    def __init__(self, slices: Slices, data: bytes, path: str = "", pieces: tuple[Piece, ...] = ()) -> None:
        """``data`` is the text as it was given; ``pieces`` cover it where it is a stream of documents."""
        self.slices, self.data, self.path, self.pieces = slices, data, path, pieces

    @property
    def newline(self) -> bytes:
        """What ends its lines."""
        return b"\r\n" if b"\r\n" in self.data else b"\n"


def documents(data: bytes, path: str = "") -> Stream:
    """Cut a text into documents. Raises NotYaml with line and column of the text."""
    bounds = [offset for offset in _lines(_SEPARATOR, data, 0, len(data)) if offset not in {0, len(BOM)}] + [len(data)]
    pieces, line = [], 1
    for begin, stop in zip([0, *bounds], bounds, strict=False):
        text = data[begin:stop]
        pieces.append(_piece(data, begin, stop, filled=_filled(text, line, path)))
        line += text.count(b"\n")
    found = [piece for piece in pieces if piece.filled]
    slices = Slices(data, [piece.start for piece in found], [piece.end for piece in found])
    return Stream(slices, data, path, tuple(pieces))


def _lines(marker: re.Pattern[bytes], data: bytes, begin: int, stop: int) -> Iterator[int]:
    """Yield where lines begin with a marker."""
    for hit in marker.finditer(data, begin, stop):
        at = hit.start()
        if at == 0 or data.endswith(_BREAKS, 0, at) or (at == len(BOM) and data.startswith(BOM)):
            yield at


def _filled(text: bytes, line: int, path: str) -> bool:
    """Tell whether a piece holds a document, rather than only comments. Raises NotYaml where it is neither."""
    try:
        prove(text, line=line, file=path)
    except NotYaml:
        directive = _DIRECTIVE.search(text)
        if directive is None:
            raise
        line += text.count(b"\n", 0, directive.start())
        raise NotYaml(DIRECTIVES, line=line, column=1, file=path) from None
    told = walk(text, line=line, file=path)
    _, _, content = next(told), next(told), next(told, None)
    nothing = isinstance(content, events.ScalarEvent) and content.start_mark.index == content.end_mark.index
    return content is not None and not nothing


def _piece(data: bytes, begin: int, stop: int, *, filled: bool) -> Piece:
    """Find the document between its separator and its terminator."""
    start = begin + (len(BOM) if not begin and data.startswith(BOM) else 0)
    if _SEPARATOR.match(data, start, stop):
        rest = _REST_OF_SEPARATOR.match(data, start, stop)
        start = rest.end() if rest else start
    end = next(_lines(_TERMINATOR, data, start, stop), stop)
    return Piece(begin, start, end, stop, filled)


def closed(item: Item, column: int | None) -> str:
    """Return the text of an item for a list, or as a document, ended by a line break that changes no scalar."""
    text = item.at(column)
    if text.endswith(("\n", "\r")):
        return text
    margin = " " * (column or 0)
    if same(load(margin + text), load(f"{margin}{text}\n")):
        return text + "\n"
    return new(item.value).at(column)
