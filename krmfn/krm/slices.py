"""Where each object's text lies in one buffer, found by bytes and proved by libyaml; no objects are built.

A ResourceList is cut at every line that begins with a dash in the column of the list. That is right unless the line is
part of a quoted scalar or a flow collection: block and plain scalars cannot continue at that column. So libyaml parses
each slice on its own. The first slice begins at an element of the list; where a slice that begins at one also parses,
nothing is left open at its end, and the next one begins at an element too. What cannot be proved in this way is
``Unsure``, and has to be parsed as a whole.
"""

from __future__ import annotations

from bisect import bisect_right

from krmfn.errors import KrmfnError, NotYaml
from krmfn.krm.libyaml import check
from krmfn.krm.outline import walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_FIELD = b"items:"
# With what a line begins that ends the items of a ResourceList, or the document.
_NEXT = (b"apiVersion:", b"kind:", b"functionConfig:", b"results:", b"metadata:", b"---", b"...")
# The fields that stand behind the items as hosts write it, and may have lists of their own.
_BEHIND = (b"functionConfig:", b"results:")
# Line breaks for YAML, but not for a search by "\n"; and what the marks of libyaml do not count.
_HOSTILE = (b"\r", b"\xc2\x85", b"\xe2\x80\xa8", b"\xe2\x80\xa9", b"\xef\xbb\xbf")
MANY_BRACKETS = 1000
LARGEST = 8 << 20
# How a name can be spelled so that its letters are not in the text: by escapes in a double-quoted scalar that stand for
# them or between them, and in base64.
_ESCAPES = b"xuU/\r\n"
_ESCAPED = rb'"(?<![^\s\[{,:]")(?:[^"\\]|\\[^xuU/\r\n])*+\\[xuU/\r\n]'
_BINARY = rb"!(?:!|<tag:yaml\.org,2002:)binary"
_FEW, _NEAR = 16, 4096


class Unsure(Exception):
    """The cut cannot be proved by looking at bytes."""


class Slices:
    """Texts in one buffer: number i is ``data[starts[i]:ends[i]]``.

    In a ResourceList each begins with its dash at ``column``, and the lines of the list are ``data[begin:end]``; for
    the documents of a stream ``column`` is None.
    """

    __slots__ = ("_spelled", "begin", "column", "data", "end", "ends", "starts")

    def __init__(
        self, data: bytes, starts: Iterable[int], ends: Iterable[int], column: int | None = None, begin: int = 0
    ) -> None:
        """``begin`` matters only where there are no texts."""
        self.data, self.column = data, column
        self.starts, self.ends = list(starts), list(ends)
        self.begin = self.starts[0] - (column or 0) if self.starts else begin
        self.end = self.ends[-1] if self.ends else begin
        self._spelled: list[int] | None = None

    def __len__(self) -> int:
        """Count the texts."""
        return len(self.starts)

    def raw(self, number: int) -> memoryview:
        """Return one text, not copied."""
        return memoryview(self.data)[self.starts[number] : self.ends[number]]

    def padded(self, number: int) -> bytes:
        """Return one text as it has to stand to be parsed on its own."""
        return b" " * (self.column or 0) + self.raw(number)

    def at(self, offset: int) -> int:
        """Return the number of the text that holds an offset; -1 where it lies in front of or between texts."""
        number = bisect_right(self.starts, offset) - 1
        return number if number >= 0 and offset < self.ends[number] else -1

    def find(self, words: Sequence[str]) -> list[int]:
        """Return, in order, the texts that hold every word, or could spell it with escapes.

        A word holds no blanks, quotes or backslashes: those have more spellings than are looked for.
        """
        wanted = sorted((word.encode() for word in words), key=len, reverse=True)
        if not wanted:
            return list(range(len(self)))
        return sorted({*self._holding(wanted[0], wanted[1:]), *self._spelling()})

    def _holding(self, first: bytes, others: Sequence[bytes]) -> Iterator[int]:
        for number in self._hits(first):
            if all(self.data.find(word, self.starts[number], self.ends[number]) >= 0 for word in others):
                yield number

    def _hits(self, word: bytes) -> Iterator[int]:
        offset = self.data.find(word)
        while offset >= 0:
            number = self.at(offset)
            if number >= 0 and offset + len(word) <= self.ends[number]:
                yield number
                offset = self.ends[number] - 1
            offset = self.data.find(word, offset + 1)

    def _spelling(self) -> list[int]:
        if self._spelled is None:
            patterns = [_ESCAPED] if _maybe_escaped(self.data) else []
            patterns += [_BINARY] if b"binary" in self.data else []
            self._spelled = sorted({self.at(hit) for hit in _found(patterns, self.data)} - {-1})
        return self._spelled


def _maybe_escaped(data: bytes) -> bool:
    """Tell whether double quotes may hold an escape; of a few line ends of shell scripts it can be seen that not."""
    at, left = data.find(b"\\"), _FEW
    while at >= 0 and left:
        if data[at + 1 : at + 2] in _ESCAPES and _maybe_quoted(data, at):
            return True
        at, left = data.find(b"\\", at + 2), left - 1
    return at >= 0


def _maybe_quoted(data: bytes, at: int) -> bool:
    quote = data.rfind(b'"', max(0, at - _NEAR), at)
    if quote < 0:
        return at > _NEAR
    before = data[max(0, quote - 1) : quote]
    return before.isspace() or before in b"[{,:\\"


def _found(patterns: Sequence[bytes], data: bytes) -> Iterator[int]:
    if patterns:
        import re  # starting is most of what a small run costs, and few need this

        yield from (hit.start() for pattern in patterns for hit in re.finditer(pattern, data))


def cut(data: bytes) -> Slices:
    """Cut a ResourceList whose items are a block sequence. Raises Unsure where the bytes do not prove it.

    That the first slice begins at an element of the list is left to be checked, by parsing what stands around it.
    """
    if any(mark in data for mark in (_HOSTILE[:1] if data.isascii() else _HOSTILE)):
        raise Unsure("line breaks other than \\n")
    first, column = _first_dash(data)
    fields = (data.rfind(b"\n" + field, first) + 1 for field in _BEHIND)
    stop = min(filter(None, fields), default=len(data))
    starts = list(_dashes(data, first, stop, column))
    end = _end_of_list(data, starts[-1], stop)
    dashes = data.count(b"\n" + b" " * column + b"-", first, end)
    if data.startswith(b"-", end) or dashes != len(starts) - 1:
        raise Unsure("a dash that stands alone, or several documents")
    slices = Slices(data, starts, [*(start - column for start in starts[1:]), end], column)
    _prove(slices)
    return slices


def _first_dash(data: bytes) -> tuple[int, int]:
    """Return where the first dash of the list stands, and its column."""
    field = 0 if data.startswith(_FIELD) else data.find(b"\n" + _FIELD) + 1
    end = data.find(b"\n", field)
    alone = data.startswith(_FIELD, field) and data[field + len(_FIELD) : end].lstrip(b" ")[:1] in b"#"
    start, column = _filled_line(data, end + 1)
    if not alone or not data.startswith(b"- ", start):
        raise Unsure("`items` is not a block sequence")
    return start, column


def _filled_line(data: bytes, at: int) -> tuple[int, int]:
    """Return where the first line that is neither blank nor a comment begins behind its margin, and the margin."""
    while 0 < at < len(data):
        end = data.find(b"\n", at)
        line = data[at : end if end >= 0 else len(data)]
        bare = line.lstrip(b" ")
        if bare and not bare.startswith(b"#"):
            return at + len(line) - len(bare), len(line) - len(bare)
        at = end + 1
    return len(data), 0


def _end_of_list(data: bytes, last: int, stop: int) -> int:
    """Return where the first line behind the last dash begins that can only be the list's next field, or a document's.

    Another line that ends the list makes a slice that is no YAML.
    """
    found = (data.find(b"\n" + sign, last, stop) for sign in _NEXT)
    return min((at + 1 for at in found if at >= 0), default=stop)


def _dashes(data: bytes, first: int, end: int, column: int) -> Iterator[int]:
    dash = b"\n" + b" " * column + b"- "
    while first >= 0:
        yield first
        line = data.find(dash, first, end)
        first = line + 1 + column if line >= 0 else -1


def _prove(slices: Slices) -> None:
    line = 1
    for number, (start, end) in enumerate(zip(slices.starts, slices.ends, strict=True)):
        if end - start > LARGEST:
            line += slices.data.count(b"\n", 0, start)
        try:
            prove(slices.padded(number), line=line)
        except NotYaml:
            raise Unsure("a slice that is not self-contained, or not YAML") from None


def prove(text: bytes, *, line: int = 1, file: str = "") -> None:
    """Raise NotYaml unless libyaml accepts a text; ``line`` is the number of its first line in ``file``.

    Nothing is built, except where there are brackets enough to make libyaml's quick way slow: it takes time by the
    square of the depth. Raises KrmfnError for what is far larger than objects are.
    """
    if len(text) > LARGEST:
        size = f"{len(text) >> 20} MB begins in line {line}"
        raise KrmfnError(f"an object of {size}; krmfn reads up to {LARGEST >> 20}, the cluster 3", file=file)
    if text.count(b"[") + text.count(b"{") <= MANY_BRACKETS:
        check(text, line=line, file=file)
        return
    for _ in walk(text, line=line, file=file):
        pass
