"""What stands around the items of a ResourceList: apiVersion, kind, functionConfig, results, and whatever hosts add."""

from __future__ import annotations

import re

from krmfn.krm.item import dump, load, retext, same
from krmfn.krm.outline import outline
from krmfn.krm.slices import Unsure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from krmfn.krm.item import Manifest
    from krmfn.krm.slices import Slices

API_VERSION = "config.kubernetes.io/v1"


class Frame:
    """The text around the items, in which one line, ``- krmfn-items``, stands for all of them."""

    def __init__(self, slices: Slices, tail: str | None = None) -> None:
        """``tail`` is what to read behind the items instead of what stands there."""
        head = slices.data[: slices.begin].decode()
        if tail is None:
            tail = slices.data[slices.end :].decode()
        self._place = "krmfn-items"
        while self._place in head or self._place in tail:
            self._place += "-"
        self.newline = "\r\n" if "\r\n" in head else "\n"
        self.text = f"{head}{' ' * (slices.column or 0)}- {self._place}{self.newline}{tail}"
        self._value: Manifest | None = None

    @property
    def value(self) -> Manifest:
        """The fields of the list, with a string for all items. Raises NotYaml."""
        if self._value is None:
            self._value = load(self.text)
        return self._value

    def check(self) -> None:
        """Raise Unsure unless the items are where we think; NotYaml or KrmfnError where this is no ResourceList."""
        found = outline(self.text)
        found.require_list()
        if [start for start, _ in found.elements] != [self.text.index(self._place)]:
            raise Unsure("`items` lies elsewhere")

    @property
    def current(self) -> bool:
        """Tell whether the list is in the version that we write."""
        return self.value.get("apiVersion") == API_VERSION

    def around(self, results: Sequence[Manifest]) -> tuple[str, int, str]:
        """Return what to write in front of the items, the column of their dashes, and what to write behind them."""
        value = {**self.value, "apiVersion": API_VERSION}
        if results:
            value["results"] = [*(value.get("results") or []), *results]
        text = self.text if same(value, self.value) else retext(self.text, value)
        return self._divided(text) or self._divided(dump(value)) or ("", 0, "")

    def without_items(self, results: Sequence[Manifest]) -> str:
        """Return the whole text of a list without items."""
        head, column, tail = self.around(results)
        value = load(f"{head}{' ' * column}- {self._place}{self.newline}{tail}")
        return dump({**value, "items": []})

    def _divided(self, text: str) -> tuple[str, int, str] | None:
        line = re.search(rf"^( *)- {self._place}\r?(?:\n|\Z)", text, re.MULTILINE)
        return (text[: line.start()], len(line[1]), text[line.end() :]) if line else None
