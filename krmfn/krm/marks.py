"""Cut a ResourceList of any shape, at the marks of a full parse: the slow way, for what `slices.cut` is not sure of."""

from __future__ import annotations

import re
from itertools import accumulate

from krmfn.errors import KrmfnError, NotYaml
from krmfn.krm.emit import dump
from krmfn.krm.item import load
from krmfn.krm.loans import standalone
from krmfn.krm.outline import outline
from krmfn.krm.slices import Slices

TYPE_CHECKING = False
if TYPE_CHECKING:
    from krmfn.krm.outline import Outline

# A parse that makes objects of everything reads some ten megabytes a second, and what needs it was written by hand.
LARGEST = 32 << 20
_GAP = re.compile(r"(?:\s++|#[^\r\n\x85\u2028\u2029]*+)*+")


def cut_at_marks(data: bytes) -> Slices:
    """Cut a ResourceList that `slices.cut` is not sure of.

    Block lists are cut where they stand. Any other list of items, such as JSON, is laid out anew as a block list first,
    in which the text of each item is what it was.

    Raises:
        NotYaml: the text is not YAML, or not one document; line and column are those of the whole input.
        KrmfnError: it is not a ResourceList, or is too large for a parse.
    """
    if len(data) > LARGEST:
        raise KrmfnError(
            f"the input has {len(data) >> 20} MB and `items` is not a plain block list, which krmfn reads only up to "
            f"{LARGEST >> 20} MB; write one `- ` line for each item, as kpt and kustomize do"
        )
    text = decoded(data)
    whole = outline(text)
    whole.require_list()
    return _in_place(text, whole) or _laid_out(text, whole)


def decoded(data: bytes, file: str = "") -> str:
    """Decode UTF-8, or raise NotYaml with the place of the first byte that is not."""
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = len(data[data.rfind(b"\n", 0, error.start) + 1 : error.start].decode()) + 1
        message = f"byte {error.start} (0x{data[error.start]:02x}) is not UTF-8; save the text as UTF-8"
        raise NotYaml(message, line=line, column=column, file=file) from None


def _in_place(text: str, whole: Outline) -> Slices | None:
    """Cut a block list where it stands; None where it is not one that has each dash on a line of its own."""
    items = whole.fields["items"]
    if not items.block_list:
        return None
    column = items.event.start_mark.column
    starts, at = [], items.start
    for _, end in whole.elements:
        gap = _GAP.match(text, at)
        starts.append(gap.end() if gap else at)
        at = end
    margin = " " * column
    if any(text[start - column : start] != margin or text[start] != "-" for start in starts):
        return None
    ends = [*(start - column for start in starts[1:]), len(text[: items.end].rstrip(" "))]
    return Slices(text.encode(), _in_bytes(text, starts), _in_bytes(text, ends), column)


def _in_bytes(text: str, offsets: list[int]) -> list[int]:
    """Turn rising offsets of characters into offsets of bytes."""
    if text.isascii():
        return offsets
    found, at, done = [], 0, 0
    for offset in offsets:
        at, done = at + len(text[done:offset].encode()), offset
        found.append(at)
    return found


def _laid_out(text: str, whole: Outline) -> Slices:
    """Write the list anew as a block list, between its other fields as dumped."""
    fields = load(text)
    first = {name: fields.pop(name) for name in ("apiVersion", "kind")}
    del fields["items"]
    borrowing = standalone(text, whole.elements)
    elements = [borrowing[n].text if n in borrowing else text[a:b] for n, (a, b) in enumerate(whole.elements)]
    lines = [f"- {element}\n".encode() for element in elements]
    head = f"{dump(first)}items:\n".encode()
    tail = dump(fields).encode() if fields else b""
    bounds = [*accumulate(map(len, lines), initial=len(head))]
    return Slices(b"".join([head, *lines, tail]), bounds[:-1], bounds[1:], 0, begin=len(head))
