"""All objects of a package by name and by what they say.

To find an object in the text is quick as long as few are looked for. Where a package has many rollouts, each of which
looks for its own, a table that is made once keeps the time a straight line.
"""

from krmfn.errors import KrmfnError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from krmfn.krm import Item

    Key = tuple[str, str, str, str]


class Catalogue:
    """The items of a package, by key (group, kind, namespace, name) and by kind."""

    def __init__(self, items: "Iterable[Item]") -> None:
        """Ask each item what it is called; what it says is read when somebody asks for its kind."""
        self.by_key: dict[Key, list[Item]] = {}
        self._kinds: dict[tuple[str, str], list[Item]] = {}
        self._words: dict[tuple[str, str], dict[str, list[Item]]] = {}
        for item in items:
            key = item.ref.key
            self.by_key.setdefault(key, []).append(item)
            self._kinds.setdefault(key[:2], []).append(item)

    def holding(self, group: str, kind: str, words: "Sequence[str]") -> "list[Item]":
        """Return, in order, the items of a kind that hold each word: as a text, a key or the beginning of a key.

        Such a beginning ends with a dot or a slash.
        """
        items = self._kinds.get((group, kind), [])
        if not words or not items:
            return items
        if (group, kind) not in self._words:
            self._words[group, kind] = _table(items)
        table = self._words[group, kind]
        first, *others = (table.get(word, []) for word in words)
        marks = [{item.mark for item in found} for found in others]
        return [item for item in first if all(item.mark in found for found in marks)]


def _table(items: "Iterable[Item]") -> "dict[str, list[Item]]":
    table: dict[str, list[Item]] = {}
    for item in items:
        for word in set(_spoken(item)):
            table.setdefault(word, []).append(item)
    return table


def _spoken(item: "Item") -> "Iterator[str]":
    """Yield every word by which an item can be found; one that cannot be read has none."""
    try:
        rest: list[object] = [item.value]
    except KrmfnError:
        return
    while rest:
        value = rest.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, list):
            rest += value
        elif isinstance(value, dict):
            rest += value.values()
            for key in value:
                yield key
                yield from (key[: at + 1] for at, letter in enumerate(key) if letter in "./")
