"""Cut a ResourceList of any shape, at the marks of a full parse: the slow way, for what `slices.cut` is not sure of."""

from __future__ import annotations

import re
from itertools import accumulate

from krmfn.errors import KrmfnError
from krmfn.krm.item import dump, load
from krmfn.krm.loans import standalone
from krmfn.krm.outline import decoded, misread, outline
from krmfn.krm.slices import Slices

TYPE_CHECKING = False
if TYPE_CHECKING:
    from krmfn.krm.outline import Outline

# A parse that makes objects of everything reads some ten megabytes a second, and what needs it was written by hand.
LARGEST = 32 << 20
_BREAKS = ("\n", "\r", "\x85", "\u2028", "\u2029")
# Blanks and comments; in front of the first dash, also an anchor and a tag.
_TO_DASH = re.compile(r"(?:\s++|#[^\r\n\x85\u2028\u2029]*+|[&!]\S*+)*+")


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
    return _in_place(text, whole) if whole.fields["items"].block_list else _laid_out(text, whole)


def _in_place(text: str, whole: Outline) -> Slices:
    """Cut a block list where it stands."""
    items = whole.fields["items"]
    starts, at = [], items.start
    for _, end in whole.elements:
        gap = _TO_DASH.match(text, at)
        starts.append(gap.end() if gap else at)
        at = end
    before = text[: starts[0]]
    column = len(before) - len(before.rstrip(" "))
    if not before.rstrip(" ").endswith(_BREAKS):
        raise misread(items.event, "write each `- ` of `items` on a line of its own")
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
    items = whole.fields["items"]
    aliased = "*" in text
    fields = load(text if aliased else f"{text[: items.start]} []{text[items.end :]}")
    first = {name: fields[name] for name in ("apiVersion", "kind")}
    rest = {name: fields[name] for name in fields if name not in first and name != "items"}
    borrowing = standalone(text, whole.elements) if aliased else {}
    elements = [borrowing[n].text if n in borrowing else text[a:b] for n, (a, b) in enumerate(whole.elements)]
    lines = [f"- {_in_block(element)}\n".encode() for element in elements]
    head = f"{dump(first)}items:\n".encode()
    tail = dump(rest).encode() if rest else b""
    bounds = [*accumulate(map(len, lines), initial=len(head))]
    return Slices(b"".join([head, *lines, tail]), bounds[:-1], bounds[1:], 0, begin=len(head))


def _in_block(element: str) -> str:
    """Return the text of an element of a flow list for a line with a dash: only a plain scalar cannot stay as it is."""
    return element if element[:1] in tuple("[{\"'&!*") else " ".join(element.split())
