"""The objects given to one run, and what was said around them."""

from __future__ import annotations

from _collections_abc import Mapping, Sequence  # without all of collections, which takes a tenth of starting
from bisect import bisect_right
from itertools import accumulate, pairwise

from krmfn.errors import NotYaml
from krmfn.krm.item import Item

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, overload

    from krmfn.krm.frame import Frame
    from krmfn.krm.item import Manifest
    from krmfn.krm.loans import Loan
    from krmfn.krm.stream import Stream

    # What stands in the place of each item that changed: nothing, the item as edited, new ones. Or all items, in order.
    Changes = Mapping[int, Sequence[Item]] | Sequence[Item]

LIST, STREAM, FILES = "list", "stream", "files"
MANY = 24


class Given(Item):
    """An item of the input: what is wrong with it is said with the line of the input, not of the item."""

    __slots__ = ("_start", "_stream")

    def __init__(self, stream: Stream, number: int, mark: int, loan: Loan | None) -> None:
        """``loan`` holds what to read where the text cannot stand alone."""
        raw = stream.slices.raw(number) if loan is None else loan.text.encode()
        column = stream.slices.column
        super().__init__(raw, listed=column, path=stream.path, index=number if column is None else 0, mark=mark)
        self._stream, self._start = stream, stream.slices.starts[number]

    @property
    def value(self) -> dict[str, Any]:
        """What the API server reads; see Item."""
        try:
            return super().value
        except NotYaml as error:
            data = self._stream.slices.data
            if not error.line or not self._stream.data.endswith(data):
                raise
            message = error.message.removeprefix(f"line {error.line}, column {error.column}: ")
            line = error.line + data.count(b"\n", 0, self._start)
            raise NotYaml(message, line=line, column=error.column, file=self._stream.path) from None


class Items(Sequence[Item]):
    """The items of some texts, in order; each is made when somebody asks for it, and then kept."""

    def __init__(self, streams: Sequence[Stream], loans: Mapping[int, Loan]) -> None:
        """``loans`` holds what to read in the place of items that cannot stand alone."""
        self._streams, self._loans = streams, loans
        self._counts = [0, *accumulate(len(stream.slices) for stream in streams)]
        self._made: dict[int, Item] = {}

    def __len__(self) -> int:
        """Count the items, without making any."""
        return self._counts[-1]

    if TYPE_CHECKING:

        @overload
        def __getitem__(self, mark: int) -> Item: ...
        @overload
        def __getitem__(self, mark: slice) -> list[Item]: ...

    def __getitem__(self, mark: int | slice) -> Item | list[Item]:
        """Return the item with a mark, always the same one."""
        if isinstance(mark, slice):
            return [self[number] for number in range(len(self))[mark]]
        number = range(len(self))[mark]
        if number not in self._made:
            self._made[number] = self._make(number)
        return self._made[number]

    def __iter__(self) -> Iterator[Item]:
        """Go through the items in order."""
        return map(self.__getitem__, range(len(self)))

    def _make(self, mark: int) -> Item:
        stream = self._streams[place := bisect_right(self._counts, mark) - 1]
        return Given(stream, mark - self._counts[place], mark, self._loans.get(mark))

    def holding(self, words: Sequence[str]) -> Iterator[int]:
        """Yield, in order, the marks of the items whose text could contain all the words."""
        for count, stream in zip(self._counts, self._streams, strict=False):
            borrowers = {mark - count for mark in self._loans if 0 <= mark - count < len(stream.slices)}
            yield from (count + number for number in sorted({*stream.slices.find(words), *borrowers}))

    def standing(self, mark: int, item: Item) -> bool:
        """Tell whether an item is what stands at a mark, as it was given."""
        return item is self._made.get(mark)


class Package:
    """What one run was given: a ResourceList, or the documents of a stream or of files.

    ``wire`` says which: "list", "stream" or "files". ``items`` is every object in the order of the input, as a lazy
    sequence: ``items[n].mark == n``. An object is whatever the input held; a host also sends what is none.
    """

    def __init__(
        self, wire: str, streams: Sequence[Stream], frame: Frame | None = None, loans: Mapping[int, Loan] | None = None
    ) -> None:
        """``frame`` is what stands around the items of a ResourceList, which is the only stream then."""
        self.wire, self.streams, self.frame, self.loans = wire, streams, frame, loans or {}
        self.items = Items(streams, self.loans)
        self._asked = 0
        self._files: dict[str, list[Item]] = {}

    @property
    def config(self) -> Manifest | None:
        """The function configuration of a ResourceList; None where there is none. Raises NotYaml."""
        found = self.frame.value.get("functionConfig") if self.frame else None
        return found if isinstance(found, dict) else None

    @property
    def results(self) -> Sequence[Manifest]:
        """What functions before this one had to say. Raises NotYaml."""
        found: Any = self.frame.value.get("results") if self.frame else None
        return found if isinstance(found, list) else []

    def find(self, *words: str) -> Iterator[Item]:
        """Yield, in order, every item whose text could contain all the words.

        That is a search through bytes, so an item may have a word elsewhere than expected; none that has it is
        missed, however it is spelled. A word has no blanks, quotes or backslashes.
        """
        return map(self.items.__getitem__, self.items.holding(words))

    def in_file(self, path: str) -> Sequence[Item]:
        """Return the items of a file: from a table, unless they have to be asked and few files are asked for."""
        self._asked += 1
        if (self._asked > MANY or self.wire == FILES) and not self._files:
            for item in self.items:
                self._files.setdefault(item.path, []).append(item)
        return self._files.get(path, ()) if self._files else [item for item in self.find(path) if item.path == path]

    def changes(self, items: Changes) -> dict[int, Sequence[Item]]:
        """Return, by mark, what stands in the place of each item that changed.

        ``items`` is that already, or all items in order: then new ones belong to the item in front of them.
        """
        if isinstance(items, Mapping):
            return {mark: now for mark, now in sorted(items.items()) if not self._same(mark, now)}
        if items is self.items:
            return {}
        return self.changes(self._by_mark(items))

    def _same(self, mark: int, now: Sequence[Item]) -> bool:
        return len(now) == 1 and self.items.standing(mark, now[0])

    def _by_mark(self, items: Sequence[Item]) -> dict[int, Sequence[Item]]:
        """Sort items under the marks they follow; where they are not in order, all stand in the place of the first."""
        places: dict[int, list[Item]] = {mark: [] for mark in range(len(self.items))}
        place = 0
        marks = [item.mark for item in items if item.mark >= 0]
        ordered = all(before < after for before, after in pairwise(marks))
        for item in items:
            place = item.mark if ordered and item.mark >= 0 else place
            places.setdefault(place, []).append(item)
        return {mark: tuple(now) for mark, now in places.items()}
