"""Anchors that a part of a text shares with what stands around it.

Cut out, a part takes along what its aliases stand for: the first ``*labels`` becomes ``&labels {app: web}``, so that
it can be read alone. Put back, it has its aliases again, as far as they still stand for the same.
"""

from __future__ import annotations

from krmfn.krm.alike import same
from krmfn.krm.emit import flow
from krmfn.krm.nodes import ALIAS, below, is_block

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from krmfn.krm.nodes import Node


def lent(text: str, part: tuple[int, int], inside: Node) -> str:
    """Return a part of a text, which holds the node and all below it, such that no alias needs the rest."""
    start, end = part
    edits: dict[str, tuple[int, int, str]] = {}
    for alias in _aliases(inside):
        name = _name(text, alias)
        if not start <= alias.target.start < end:
            edits.setdefault(name, (alias.start, alias.end, f"&{name} {flow(alias.target.value)}"))
    return _applied(text, part, edits.values())


def returned(text: str, part: tuple[int, int], inside: Node, shared: Mapping[str, Any]) -> str:
    """Return a part of a text without the anchors that ``lent`` has put into it.

    ``shared`` is what aliases stand for in the place where it goes, by name.
    """
    used = {_name(text, alias) for alias in _aliases(inside)}
    edits = []
    for node in below(inside):
        if node.anchor not in shared or is_block(node) or node.style in ("|", ">"):
            continue
        if same(shared[node.anchor], node.value):
            edits.append((node.start, node.end, f"*{node.anchor}"))
        elif node.anchor not in used and not node.tag:
            edits.append((node.start, node.body, ""))
    return _applied(text, part, edits)


def known(root: Node, before: int) -> dict[str, Any]:
    """Return what aliases stand for at an offset of a text, by name."""
    anchored = [node for node in below(root) if node.anchor and node.end <= before]
    return {str(node.anchor): node.value for node in sorted(anchored, key=lambda node: node.start)}


def _aliases(root: Node) -> list[Any]:
    return sorted((node for node in below(root) if node.kind == ALIAS), key=lambda node: node.start)


def _name(text: str, alias: Node) -> str:
    return text[alias.start + 1 : alias.end]


def _applied(text: str, part: tuple[int, int], edits: Iterable[tuple[int, int, str]]) -> str:
    parts, at = [], part[0]
    for start, end, new in sorted(edits):
        if start >= at:
            parts += [text[at:start], new]
            at = end
    return "".join([*parts, text[at : part[1]]])
