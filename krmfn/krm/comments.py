"""Where the comments of a text stand.

How the YAML of Go attaches a comment to a node is not repeated here. A comment counts as the same one only where it
stands between the same neighbours, right above the same entry, or behind the same value.
"""

from __future__ import annotations

from krmfn.krm.nodes import LIST, MAP, SCALAR, is_block, name
from krmfn.krm.source import comment_sign

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from krmfn.krm.nodes import Node
    from krmfn.krm.source import Source

    Path = tuple[str | int, ...]
    Place = tuple[Any, ...]


class Leaf:
    """A key, a scalar or a value in brackets: where it is and what it is to its neighbours."""

    __slots__ = ("end", "look", "node", "path", "start")

    def __init__(self, node: Node, path: Path, role: str) -> None:
        """``role`` is "key", "value" or "item", or the like for the first one of a mapping or list."""
        self.node, self.path, self.start, self.end = node, path, node.start, node.end
        self.look = (path, role)

    def owner(self, dashes: int) -> Path:
        """Return the path of the outermost value that begins on this line, behind so many dashes."""
        role = self.look[1]
        inner = dashes - role.endswith("item") if dashes else role.startswith("first")
        return self.path[: len(self.path) - inner]

    @property
    def shape(self) -> str:
        """What a comment behind it may belong to."""
        if self.node.kind is SCALAR:
            return (self.node.style if self.node.style in ("|", ">") else "") or str(self.start < self.end)
        return self.node.kind


class Comments:
    """The comments of a text: where each stands, by (path, what else has to be the same for it to be the same)."""

    def __init__(self, source: Source) -> None:
        """Find them all; ``unclear`` where one stands at a place where nobody expects any."""
        self.text = source.text
        self.paths: set[Path] = set()
        self.found: set[tuple[Path | None, Place]] = set()
        self.unclear = self.folded = False
        last = None
        for leaf in _leaves(source.node, self.paths):
            self.between(last, leaf)
            self.inside(leaf)
            last = leaf
        self.between(last, None)

    def still(self, now: Comments) -> bool:
        """Tell whether every comment whose place is still there has one at that place."""
        return all(path is not None and path not in now.paths for path, _ in self.found - now.found)

    def below(self, path: Path) -> bool:
        """Tell whether any comment could belong to something inside the value at a path."""
        inner = len(path)
        places = [at for at, _ in self.found if at is not None]
        places += [look[0] for at, (_, *looks) in self.found if at is None for look in looks[:2] if look]
        return any(len(at) > inner and at[:inner] == path for at in places)

    def inside(self, leaf: Leaf) -> None:
        """Note what stands in the first line of a block scalar; brackets with comments inside are unclear."""
        node = leaf.node
        self.folded |= leaf.shape == ">"
        if leaf.shape in ("|", ">"):
            head = self.text[node.body : self.text.index("\n", node.body)]
            if comment_sign(head) >= 0:
                self.found.add((leaf.path, ("line", leaf.shape)))
        elif node.kind in (MAP, LIST) and "#" in self.text[node.start : node.end]:
            self.unclear = self.unclear or "#" in _brackets(self.text, node)

    def between(self, last: Leaf | None, leaf: Leaf | None) -> None:
        """Note what stands between two leaves, or in front of the first, or behind the last."""
        gap = self.text[last.end if last else 0 : leaf.start if leaf else len(self.text)]
        if "#" not in gap:
            return
        first, *lines = gap.split("\n")
        if last is None:
            lines = [first, *lines]
        elif comment_sign(first) >= 0:
            self.behind(last, leaf, first)
        self.above(last, leaf, lines)

    def behind(self, last: Leaf, leaf: Leaf | None, line: str) -> None:
        """Note a comment behind a leaf, on its line."""
        stem = last.look[1].endswith("key")
        self.unclear = self.unclear or line.partition("#")[0].strip() != (":" if stem else "")
        self.found.add((last.path, ("line", last.shape, last.look, leaf.look if stem and leaf else None)))

    def above(self, last: Leaf | None, leaf: Leaf | None, lines: list[str]) -> None:
        """Note the comments in the lines in front of a leaf; its own line, as far as it goes, is the last."""
        run: list[tuple[int, bool]] = []
        for line in lines:
            at = comment_sign(line)
            mark = at >= 0
            before = line[:at] if mark else line
            if mark and not before.strip():
                run.append((len(before), True))
            elif not before.strip() and line is not lines[-1]:
                run.append((0, False))
            else:
                self.note(last, leaf, run, before)
                if mark:
                    self.unclear |= last is not None or leaf is None
                    self.found.add(((), ("dash", leaf and leaf.look)))
                run = []

    def note(self, last: Leaf | None, leaf: Leaf | None, run: list[tuple[int, bool]], line: str) -> None:
        """Note some lines that stand above a dash or a leaf."""
        if not any(mark for _, mark in run):
            return
        column = len(line) - len(line.lstrip(" "))
        dashes = line.count("-")
        if leaf and set(run) == {(column, True)}:
            self.found.add((leaf.owner(dashes), ("head", leaf.look, dashes)))
        else:
            self.found.add((None, ("foot", last and last.look, leaf and leaf.look, dashes, column, *run)))


def _leaves(root: Node, paths: set[Path]) -> Iterator[Leaf]:
    """Yield the leaves in the order of the text, and collect the paths of all nodes."""
    todo: list[tuple[Node, Path, str]] = [(root, (), "value")]
    while todo:
        node, path, role = todo.pop()
        paths.add(path)
        if role and not is_block(node):
            yield Leaf(node, path, role)
            role = ""
        parts = _parts(node, path)
        todo += reversed(parts if role else [(part, inner, "") for part, inner, _ in parts])


def _parts(node: Node, path: Path) -> list[tuple[Node, Path, str]]:
    """Return what stands in a mapping or list, where, and as what."""
    parts: list[tuple[Node, Path, str]] = []
    for i, child in enumerate(node.children):
        first = "" if i else "first "
        if node.kind is LIST:
            parts.append((child, (*path, i), first + "item"))
        else:
            inner = (*path, name(child[0]))
            parts += [(child[0], inner, first + "key"), (child[1], inner, "value")]
    return parts


def _brackets(text: str, node: Node) -> str:
    """Return the text of a value in brackets without its keys and scalars."""
    parts, at, todo = [], node.start, [node]
    while todo:
        inner = todo.pop()
        if inner.kind is MAP:
            todo += [part for pair in reversed(inner.children) for part in reversed(pair)]
        elif inner.kind is LIST:
            todo += reversed(inner.children)
        else:
            parts.append(text[at : inner.start])
            at = inner.end
    return "".join(parts) + text[at : node.end]
