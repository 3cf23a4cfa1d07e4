"""Standard input and output: a ResourceList, or a stream of documents.

What did not change goes out as the very bytes that came in. Nothing is ever written that a host could take for "delete
everything" (an empty list), and nothing behind the list.
"""

from __future__ import annotations

from krmfn.errors import KrmfnError, NotYaml
from krmfn.krm.frame import Frame
from krmfn.krm.internals import anonymous, placed, restored
from krmfn.krm.item import Made
from krmfn.krm.outline import KIND, decoded, kind
from krmfn.krm.package import LIST, STREAM, Package
from krmfn.krm.slices import Unsure, cut
from krmfn.krm.stream import BOM, Stream, closed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from krmfn.krm.item import Item, Manifest
    from krmfn.krm.loans import Loan
    from krmfn.krm.package import Changes
    from krmfn.krm.slices import Slices

_EMPTY = (
    "the input is empty: a host that takes nothing for an answer deletes the whole package, so krmfn needs a "
    "ResourceList, or manifests, on standard input"
)
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


def read(data: bytes) -> Package:
    """Read standard input: a ResourceList, or else a stream of documents; ``wire`` of the package says which.

    Raises:
        NotYaml: the text is not YAML, with line and column of the input.
        KrmfnError: it is empty, or a ResourceList that has no list of items.
    """
    given = _screened(data)
    try:
        return _read(given)
    except NotYaml:
        decoded(given)
        raise


def _read(given: bytes) -> Package:
    text = given.removeprefix(BOM)
    if KIND.encode() not in text or kind(text) != KIND:
        return _read_stream(given)
    slices = _cut(text)
    borrowed = _loans(slices)
    tail = borrowed[len(slices)].text if len(slices) in borrowed else None
    return Package(LIST, [Stream(slices, given)], Frame(slices, tail), borrowed)


def _screened(data: bytes) -> bytes:
    """Return the input without a separator that nothing follows; raise where it is empty, or no text."""
    if data.startswith(_UTF_16):
        raise NotYaml("the input is UTF-16; save it as UTF-8", line=1, column=1)
    if not data or data.isspace():
        raise KrmfnError(_EMPTY)
    return data[: data.rindex(b"---")] if data[-80:].rstrip().endswith((b"\n---", b"\r---")) else data


def _cut(text: bytes) -> Slices:
    """Cut a ResourceList at its bytes; where that is not sure, or something is wrong, at the marks of a parse."""
    try:
        slices = cut(text)
        Frame(slices).check()
    except (Unsure, NotYaml, UnicodeDecodeError):
        from krmfn.krm.marks import cut_at_marks

        return cut_at_marks(text)
    return slices


def _loans(slices: Slices) -> dict[int, Loan]:
    """Find the items that cannot stand alone; there is none where nothing looks like an alias."""
    if b"*" not in slices.data:
        return {}
    from krmfn.krm.loans import loans

    return loans(slices)


def _read_stream(data: bytes) -> Package:
    from krmfn.krm.documents import documents

    stream = documents(data)
    if not stream.slices:
        raise KrmfnError(_EMPTY)
    return Package(STREAM, [stream])


def write(package: Package, items: Changes, results: Sequence[Manifest] = ()) -> list[bytes | memoryview]:
    """Return the text of a ResourceList, in pieces to be written one after the other.

    ``items`` says what changed, by mark, or is every item in order. Items that did not change are slices of the input.
    New items get the annotations by which kpt puts them into the file `path` as document `index`, and lose those that
    came with a copy; edited items keep them. ``results`` follow those that are there.

    Raises KrmfnError where nothing would be left of the items, since hosts delete what is not in the list.
    """
    frame = package.frame
    if frame is None:
        raise KrmfnError("the input was not a ResourceList, so the output cannot be one")
    changes = package.changes(items)
    if not changes and not results and frame.current:
        return [package.streams[0].data]
    if not len(package.items) and not any(changes.values()):
        return [frame.without_items(results).encode()]
    if not any(changes.values()) and len(changes) == len(package.items):
        raise KrmfnError("nothing is left of the package, and hosts delete what is not in the list; keep one object")
    head, column, tail = frame.around(results)
    writer = _Writer(package, column, frame.newline)
    return [piece for piece in (head.encode(), *writer.pieces(changes, last=not tail), tail.encode()) if piece]


class _Writer:
    """Writes the items of one list."""

    def __init__(self, package: Package, column: int, newline: str) -> None:
        """``column`` is that of the dashes to be."""
        self.package, self.column, self.newline = package, column, newline
        self.slices = package.streams[0].slices
        self.paths: dict[str, set[int]] = {}

    def pieces(self, changes: dict[int, Sequence[Item]], *, last: bool) -> Iterator[bytes | memoryview]:
        """Write each item that changed, and all between two of them at once."""
        changes = {**{mark: (self.package.items[mark],) for mark in self._touched(changes, last=last)}, **changes}
        at = 0
        for mark in sorted({*changes, len(self.slices)}):
            if at < mark:
                yield self._run(at, mark)
            for item in changes.get(mark, ()):
                yield self._written(mark, item)
            at = mark + 1

    def _touched(self, changes: dict[int, Sequence[Item]], *, last: bool) -> Iterator[int]:
        """Yield the marks of items that are the same and still cannot go out as they came in."""
        if self.column != self.slices.column:
            yield from range(len(self.slices))
        for mark, loan in self.package.loans.items():
            if mark < len(self.slices) and not loan.lenders.isdisjoint(changes):
                yield mark
        if len(self.slices) and not last and not self.slices.data.endswith((b"\n", b"\r")):
            yield len(self.slices) - 1

    def _run(self, first: int, behind: int) -> memoryview:
        begin = self.slices.starts[first] - self.column
        return memoryview(self.slices.data)[begin : self.slices.ends[behind - 1]]

    def _written(self, mark: int, item: Item) -> bytes:
        text = " " * self.column + self._text(mark, item)
        if self.newline == "\r\n":
            text = text.replace("\r\n", "\n").replace("\n", "\r\n")
        return text.encode()

    def _text(self, mark: int, item: Item) -> str:
        given = self._given(mark, item)
        if not isinstance(item, Made):
            return closed(self._tracked(item, given), self.column)
        return item.listed_as(_renewed(item, given) if given else self._placed(item), self.column)

    def _placed(self, item: Item) -> Manifest:
        return placed(item.value, item.path, self._free(item.path, item.index))  # type: ignore[no-any-return]

    def _tracked(self, item: Item, given: Item | None) -> Item:
        """Return an item with the annotations by which the host finds it, and no other such."""
        if item is given:
            return item
        if given is None:
            return _meaning(item, self._placed(item))
        now = _meaning(item, restored(item.value, given.value))
        if anonymous(now.value) is now.value:
            return now
        from krmfn.krm.identity import kept

        return kept(given, now)

    def _given(self, mark: int, item: Item) -> Item | None:
        """Return the item of the input that an item is now; a new one may replace one that is called the same."""
        place = item.mark if item.mark >= 0 else mark
        given = self.package.items[place] if place < len(self.slices) else None
        return given if given and (item.mark >= 0 or item.ref.key == given.ref.key) else None

    def _free(self, path: str, index: int) -> int:
        """Return the first index from ``index`` on that no document of the file has: kpt refuses to share them."""
        if path not in self.paths:
            self.paths[path] = {item.index for item in self.package.in_file(path)}
        while index in self.paths[path]:
            index += 1
        self.paths[path].add(index)
        return index


def _renewed(item: Item, given: Item) -> Manifest:
    """Return what an item means that was written anew, in the place of one that the host knows."""
    return anonymous(restored(item.value, given.value))  # type: ignore[no-any-return]


def _meaning(item: Item, value: Manifest) -> Item:
    return item if value is item.value else item.edited(value)
