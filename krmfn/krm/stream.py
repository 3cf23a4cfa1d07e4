"""One text of the input: standard input or a file, and the objects in it."""

from __future__ import annotations

from krmfn.krm.item import load, new, same

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from krmfn.krm.documents import Piece
    from krmfn.krm.item import Item
    from krmfn.krm.slices import Slices

BOM = b"\xef\xbb\xbf"


class Stream:
    """The text of standard input or of the file ``path``: ``slices`` are the objects in it."""

    def __init__(self, slices: Slices, data: bytes, path: str = "", pieces: Sequence[Piece] = ()) -> None:
        """``data`` is the text as it was given; ``pieces`` cover it where it is a stream of documents."""
        self.slices, self.data, self.path, self.pieces = slices, data, path, pieces

    @property
    def newline(self) -> bytes:
        """What ends its lines."""
        return b"\r\n" if b"\r\n" in self.data else b"\n"


def closed(item: Item, column: int | None) -> str:
    """Return the text of an item for a list, or as a document, ended by a line break that changes no scalar."""
    text = item.at(column)
    if text.endswith(("\n", "\r")):
        return text
    margin = " " * (column or 0)
    if same(load(margin + text), load(f"{margin}{text}\n")):
        return text + "\n"
    return new(item.value).at(column)
