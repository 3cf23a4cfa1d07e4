"""Whether an edited object may go back to its host under the id that the host gave it.

kpt merges the original into whatever comes back with its id: comments go where the same path, by position in lists, has
none, and fields into their old order; a folded scalar is quoted, and another kind of value is an error. Whatever comes
back without an id is written as it is, but then the header above a blank line, which never reaches a function, is lost.
So an object keeps its ids where the merge would change nothing, and loses them where it could.

The rules are those of kyaml's CopyComments and SyncOrder.
"""

from __future__ import annotations

from itertools import zip_longest

from krmfn.krm.comments import Comments
from krmfn.krm.internals import anonymous
from krmfn.krm.nodes import LIST, MAP, name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from krmfn.krm.item import Item
    from krmfn.krm.nodes import Node
    from krmfn.krm.source import Source

    Path = tuple[str | int, ...]

# By these, as Kubernetes' schemas say, an item of a list is the same wherever it stands.
_KEYS = (
    *(("name",), ("key",), ("type",), ("ip",), ("uid",), ("mountPath",), ("devicePath",)),
    *(("port",), ("containerPort",), ("port", "protocol"), ("containerPort", "protocol")),
    *(("topologyKey",), ("topologyKey", "whenUnsatisfiable")),
)


def kept(given: Item, item: Item) -> Item:
    """Return what became of an item, without its ids if a host could undo part of that; new ones never have any."""
    value = anonymous(item.value)
    if value is item.value or item.text == given.text:
        return item
    same_place = item.mark >= 0 and unmerged(given._source, item._source)  # noqa: SLF001 - each is read only once
    return item if same_place else item.edited(value)


def unmerged(given: Source, now: Source) -> bool:
    """Tell whether merging the original into a text changes nothing; False where that is not sure."""
    before, after = Comments(given), Comments(now)
    return (
        not (before.unclear or after.unclear or after.folded) and before.still(after) and _aligned(before, given, now)
    )


def _aligned(comments: Comments, given: Source, now: Source) -> bool:
    """Tell whether all that is in both texts is of the same kind, in the same order, and called the same."""
    todo: list[tuple[Node, Node, Path]] = [(given.node, now.node, ())]
    while todo:
        old, new, path = todo.pop()
        if old.kind is not new.kind:
            return False
        if old.kind is MAP:
            olds, news = ({name(key): child for key, child in node.children} for node in (old, new))
            both = [own for own in olds if own in news]
            if both != list(news)[: len(both)] or len(olds) < len(old.children) or len(news) < len(new.children):
                return False
            todo += [(olds[own], news[own], (*path, own)) for own in both]
        elif old.kind is LIST:
            if old.value != new.value and not _in_place(old.value, new.value, told=comments.below(path)):
                return False
            todo += [(*pair, (*path, i)) for i, pair in enumerate(zip(old.children, new.children, strict=False))]
    return True


def _in_place(old: list[Any], new: list[Any], *, told: bool) -> bool:
    """Tell whether no item can be taken for one that stood elsewhere; the same one may where no comment ``told``."""
    same = set() if told else {str(item) for item in old}
    left = [None if str(item) in same else item for item in new]
    for keys in ((), *_KEYS):
        before, after = ([_called(item, keys) for item in items] for items in (old, left))
        moved = {own for pair in zip_longest(before, after) if pair[0] != pair[1] for own in pair if own}
        if moved.intersection(before) & moved.intersection(after):
            return False
    return True


def _called(item: Any, keys: tuple[str, ...]) -> str:
    """Return what an item is called by some of its fields; a scalar is called by its value."""
    if not isinstance(item, dict):
        return "" if keys or item is None or isinstance(item, list) else str(item)
    said = [item.get(key) for key in keys]
    return str(said) if said and said[0] is not None else ""
