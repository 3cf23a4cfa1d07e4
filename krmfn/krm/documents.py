"""A stream of YAML documents: where each lies, with the separator in front of it and the comments that belong to it.

A line that begins with `---` or `...` is a separator wherever it stands, since no scalar may hold one; so bytes tell
where documents begin, and libyaml has to tell only whether each is YAML.
"""

from __future__ import annotations

import re
from itertools import islice, pairwise

from krmfn.errors import KrmfnError, NotYaml
from krmfn.krm.libyaml import events
from krmfn.krm.outline import DIRECTIVES, walk
from krmfn.krm.slices import Slices, prove
from krmfn.krm.stream import BOM, Stream

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_SEPARATOR = re.compile(rb"---(?=[ \t\r\n]|\xc2\x85|\xe2\x80[\xa8\xa9]|\Z)")
_TERMINATOR = re.compile(rb"\.\.\.(?=[ \t\r\n]|\xc2\x85|\xe2\x80[\xa8\xa9]|\Z)")
_BREAKS = (b"\n", b"\r", b"\xc2\x85", b"\xe2\x80\xa8", b"\xe2\x80\xa9")
_REST_OF_SEPARATOR = re.compile(rb"---[ \t]*(?:#[^\r\n]*)?(?:\r\n?|\n|\Z)|---[ \t]*")
_DIRECTIVE = re.compile(rb"^%", re.MULTILINE)
# A line that begins so is neither a comment nor a separator; most documents have one.
_FIELD = re.compile(rb"^[\w{]", re.MULTILINE)
MOST_DOCUMENTS = 1_000_000


class Piece:
    """The bytes from one separator to the next; where ``filled``, ``data[start:end]`` is the document in them."""

    __slots__ = ("begin", "end", "filled", "start", "stop")

    def __init__(self, data: bytes, begin: int, stop: int, *, filled: bool) -> None:
        """Find the document between its separator and its terminator."""
        self.begin, self.stop, self.filled = begin, stop, filled
        self.start = _first(data) if begin == 0 else begin
        if _SEPARATOR.match(data, self.start, stop):
            rest = _REST_OF_SEPARATOR.match(data, self.start, stop)
            self.start = rest.end() if rest else self.start
        self.end = next(_lines(_TERMINATOR, data, self.start, stop), stop)


def documents(data: bytes, path: str = "") -> Stream:
    """Cut a text into documents.

    Raises:
        NotYaml: one is not YAML; line and column are those of the text.
        KrmfnError: there are more than any package has.
    """
    bounds = [*islice(_lines(_SEPARATOR, data, _first(data) + 1, len(data)), MOST_DOCUMENTS), len(data)]
    if len(bounds) > MOST_DOCUMENTS:
        raise KrmfnError(f"krmfn reads up to {MOST_DOCUMENTS} documents, and there are more; split them", file=path)
    pieces, line = [], 1
    for begin, stop in pairwise((0, *bounds)):
        text = data[begin:stop]
        pieces.append(Piece(data, begin, stop, filled=_filled(text, line, path)))
        line += text.count(b"\n")
    found = [piece for piece in pieces if piece.filled]
    slices = Slices(data, (piece.start for piece in found), (piece.end for piece in found))
    return Stream(slices, data, path, pieces)


def _first(data: bytes) -> int:
    """Return where the text begins."""
    return len(BOM) if data.startswith(BOM) else 0


def _lines(marker: re.Pattern[bytes], data: bytes, begin: int, stop: int) -> Iterator[int]:
    """Yield where lines begin with a marker; ``begin`` is the beginning of a line, or inside of one."""
    for hit in marker.finditer(data, begin, stop):
        if data.endswith(_BREAKS, 0, hit.start()):
            yield hit.start()


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
    return bool(_FIELD.search(text)) or _has_content(text)


def _has_content(text: bytes) -> bool:
    told = walk(text)
    _, _, content = next(told), next(told), next(told, None)
    nothing = isinstance(content, events.ScalarEvent) and content.start_mark.index == content.end_mark.index
    return content is not None and not nothing
