"""Files and streams of documents: read, and written back with every byte in place that nobody changed."""

from __future__ import annotations

import re

from krmfn.errors import KrmfnError, NotYaml
from krmfn.krm.documents import documents
from krmfn.krm.internals import SPELLINGS, stripped
from krmfn.krm.outline import decoded
from krmfn.krm.package import FILES, Package
from krmfn.krm.stream import closed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from krmfn.krm.documents import Piece
    from krmfn.krm.item import Item
    from krmfn.krm.package import Changes
    from krmfn.krm.stream import Stream

_SEPARATOR = b"---\n"


def read_files(files: Iterable[tuple[str, bytes]]) -> Package:
    """Read files, each a name and its bytes: YAML streams, or JSON. Raises NotYaml, which names the file."""
    return Package(FILES, [_read(name, data) for name, data in files])


def _read(name: str, data: bytes) -> Stream:
    try:
        return documents(data, name)
    except NotYaml:
        decoded(data, name)
        raise


def write_stream(items: Sequence[Item]) -> bytes:
    """Return the items as a stream of documents.

    Items of a ResourceList, and new ones, leave the annotations behind by which its host keeps track of them; those of
    a stream keep whatever they came with, since there it is this host's. Raises KrmfnError where there is nothing to
    write: hosts take that for "delete everything".
    """
    if not items:
        raise KrmfnError("nothing is left to write, and hosts delete what is not in the stream; keep one object")
    return _SEPARATOR.join(closed(_untracked(item), None).encode() for item in items)


def _untracked(item: Item) -> Item:
    ours = item.mark < 0 or item.listed is not None
    if not ours or not any(spelling in item.text for spelling in SPELLINGS):
        return item
    value = stripped(item.value)
    return item if value is item.value else item.edited(value)


def write_files(package: Package, items: Changes) -> dict[str, bytes | None]:
    """Return the new bytes of every file, by name; None for a file whose last document went.

    ``items`` says what changed, by mark, or is every item in order. Documents that did not change keep their bytes,
    with separators and comments; one that is gone takes its own with it. New items follow the documents of the file
    `path`; a JSON file holds one document, so there each new item gets a file.
    """
    changes = package.changes(items)
    written: dict[str, bytes | None] = {}
    added = _added(package, changes)
    first = 0
    for stream in package.streams:
        behind = first + len(stream.slices)
        beside = added.pop(stream.path, [])
        if beside or any(first <= mark < behind for mark in changes):
            standing = [_standing(package, mark, changes.get(mark)) for mark in range(first, behind)]
            written[stream.path] = _file(stream, standing, beside)
        else:
            written[stream.path] = stream.data
        first = behind
    return written | {path: _file(documents(b"", path), [], now) for path, now in added.items()}


def _standing(package: Package, mark: int, now: Sequence[Item] | None) -> Item | None:
    """Return what takes the place of an item: that one, as it was or edited, or a new one of its name and file."""
    given = package.items[mark]
    if now is None:
        return given
    for first in now[:1]:
        replaces = first.mark < 0 and (first.ref.key, first.path) == (given.ref.key, given.path)
        if first.mark == mark or replaces:
            return first
    return None


def _added(package: Package, changes: dict[int, Sequence[Item]]) -> dict[str, list[Item]]:
    """Return the items that take nobody's place, by the file they go into."""
    files = {stream.path for stream in package.streams}
    found: dict[str, list[Item]] = {}
    for mark, now in changes.items():
        stands = mark < len(package.items) and _standing(package, mark, now)
        for item in now[1:] if stands else now:
            path = item.path or f"{item.ref.kind}_{item.ref.name}.yaml".lower()
            if path.endswith(".json") and (path in files or path in found):
                path = f"{path[:-5]}-{item.ref.kind}-{item.ref.name}.json".lower()
            found.setdefault(path, []).append(item)
    return found


def _file(stream: Stream, standing: Sequence[Item | None], added: Sequence[Item]) -> bytes | None:
    """Return a file with what stands now in the place of each document, and what is added; None without documents."""
    rest = iter(standing)
    text = b"".join(_part(stream, p, next(rest) if p.filled else None, closing=bool(added)) for p in stream.pieces)
    newline = stream.newline
    separate = any(standing)
    for item in added:
        if text and not text.endswith(newline):
            text += newline
        text += (b"---" + newline if separate else b"") + _text(item, stream)
        separate = True
    return text if separate else None


def _part(stream: Stream, piece: Piece, item: Item | None, *, closing: bool) -> bytes:
    """Return the bytes from one separator to the next; ``closing`` where the file goes on behind its last line."""
    data = stream.data
    given = data[piece.begin : piece.stop]
    if not piece.filled:
        return given
    if item is None:
        return b""
    open_ended = closing and piece.end == len(data) and not data.endswith(stream.newline)
    if item.raw == data[piece.start : piece.end] and not open_ended:
        return given
    lead = data[piece.begin : piece.start]
    if lead.rstrip(b" \t").endswith(b"---"):
        lead = lead.rstrip(b" \t") + stream.newline
    return lead + _text(item, stream) + data[piece.end : piece.stop]


def _text(item: Item, stream: Stream) -> bytes:
    """Return the text of a document as its file wants it: JSON stays JSON, and line breaks are the file's."""
    text = closed(item, None)
    if stream.path.endswith(".json"):
        text = _json(text, item)
    return re.sub("(?<!\r)\n", stream.newline.decode(), text).encode()


def _json(text: str, item: Item) -> str:
    import json

    try:
        json.loads(text)
    except ValueError:
        return json.dumps(item.value, indent=2, ensure_ascii=False) + "\n"
    return text
