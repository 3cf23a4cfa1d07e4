"""Edits inside brackets: flow mappings and lists, and whole JSON objects, changed where they differ."""

from __future__ import annotations

import re

from krmfn.krm.alike import pairs, same
from krmfn.krm.emit import Text, flow
from krmfn.krm.nodes import LIST, MAP, SCALAR, name
from krmfn.krm.scalars import quoted, scalar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from krmfn.krm.nodes import Node

    Edit = tuple[int, int, str]

_COMMA = r"\s*,\s*"


def edits(text: str, node: Node, new: Any, *, json: bool = False) -> Iterator[Edit]:
    """Yield (start, end, replacement) so that a node inside brackets means ``new``.

    ``json``: the author writes strings in double quotes all over, so do the same.
    """
    new = new.value if isinstance(new, Text) and new.block else new
    if not isinstance(new, Text) and same(node.value, new):
        return
    json = _is_json(node, json=json)
    if node.kind is MAP and isinstance(new, dict) and any(key in new for key in _names(node)):
        yield from _mapping(text, node, new, json=json)
    elif node.kind is LIST and isinstance(new, list) and new and node.children:
        yield from _list(text, node, new, json=json)
    else:
        yield node.start, node.end, _replacement(text, node, new, json=json)


def _is_json(node: Node, *, json: bool) -> bool:
    """Say whether keys, or else strings, are in double quotes here."""
    if node.kind is MAP and node.children:
        return bool(node.children[0][0].style == '"')
    if node.kind is LIST and node.children and node.children[0].kind is SCALAR:
        return json or node.children[0].style == '"'
    return json


def _names(node: Node) -> list[str]:
    return [name(key) for key, _ in node.children]


def _replacement(text: str, node: Node, new: Any, *, json: bool) -> str:
    """Write a value in the place of another, in its quotes."""
    gap = "" if node.start < node.end else " " if text[node.start - 1] == ":" else ": "
    if node.kind is SCALAR and isinstance(new, str):
        return gap + (quoted(new) if json else scalar(new, node.style if node.style in ("'", '"') else "", flow=True))
    return gap + flow(new, json=json)


def _mapping(text: str, node: Node, new: dict[str, Any], *, json: bool) -> Iterator[Edit]:
    """Change, remove and add entries of `{…}`."""
    names = _names(node)
    for (_, child), own in zip(node.children, names, strict=True):
        if own in new:
            yield from edits(text, child, new[own], json=json)
    added: dict[int, list[str]] = {}
    last = -1
    for key, value in new.items():
        if key in names:
            last = names.index(key)
        elif key not in node.value or not same(node.value[key], value):
            added.setdefault(last, []).append(flow({key: value}, json=json)[1:-1])
    places = [(key.start, child.end) for key, child in node.children]
    kept = [own in new or own == "<<" for own in names]
    yield from _rearranged(text, places, kept, added)


def _list(text: str, node: Node, new: list[Any], *, json: bool) -> Iterator[Edit]:
    """Change, remove and add items of `[…]`."""
    kept = [False] * len(node.children)
    added: dict[int, list[str]] = {}
    last = -1
    paired = pairs(node.value, new)
    if not any(i is not None and j is not None for i, j in paired):
        yield node.body, node.end, flow(new, json=json)
        return
    for i, j in paired:
        if i is not None and j is not None:
            last = i
            kept[i] = True
            yield from edits(text, node.children[i], new[j], json=json)
        elif j is not None:
            added.setdefault(last, []).append(flow(new[j], json=json))
    yield from _rearranged(text, [(child.start, child.end) for child in node.children], kept, added)


def _rearranged(
    text: str, places: list[tuple[int, int]], kept: list[bool], added: dict[int, list[str]]
) -> Iterator[Edit]:
    """Yield what removes the entries that are not kept, and adds others after those they follow (-1: in front)."""
    first = kept.index(True)
    comma = _comma(text, places)
    if first:
        yield places[0][0], places[first][0], ""
    for i in range(first + 1, len(places)):
        if not kept[i]:
            yield places[i - 1][1], places[i][1], ""
    for i, entries in added.items():
        at = places[first][0] if i < 0 else places[i][1]
        yield at, at, "".join(entry + comma if i < 0 else comma + entry for entry in entries)


def _comma(text: str, places: list[tuple[int, int]]) -> str:
    """Return what the author puts between two entries."""
    for i in range(1, len(places)):
        comma = re.compile(_COMMA).fullmatch(text, places[i - 1][1], places[i][0])
        if comma:
            return comma[0]
    return ", "
