"""What stands around the items of a ResourceList: apiVersion, kind, functionConfig, results, and whatever hosts add."""

from __future__ import annotations

from krmfn.errors import NotYaml
from krmfn.krm.item import dump, load, retext, same
from krmfn.krm.outline import outline
from krmfn.krm.slices import Unsure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

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
        self._lines = slices.data.count(b"\n", slices.begin, slices.end)
        self._value: dict[str, Any] | None = None

    @property
    def value(self) -> dict[str, Any]:
        """The fields of the list, with a string for all items. Raises NotYaml, with the line of the input."""
        if self._value is None:
            try:
                self._value = load(self.text)
            except NotYaml:
                load(self.text.replace(self._place, self._place + "\n" * (self._lines - 1)))
                raise
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
        return bool(self.value.get("apiVersion") == API_VERSION)

    def around(self, results: Sequence[dict[str, Any]]) -> tuple[str, int, str]:
        """Return what to write in front of the items, the column of their dashes, and what to write behind them."""
        value = self._answer(results)
        text = self.text if same(value, self.value) else retext(self.text, value)
        lines = text.splitlines(keepends=True)
        if not any(map(self._for_items, lines)):
            lines = dump(value).splitlines(keepends=True)
        at = next(number for number, line in enumerate(lines) if self._for_items(line))
        return "".join(lines[:at]), lines[at].index("-"), "".join(lines[at + 1 :])

    def _for_items(self, line: str) -> bool:
        return line.strip(" \r\n") == f"- {self._place}"

    def without_items(self, results: Sequence[dict[str, Any]]) -> str:
        """Return the whole text of a list without items."""
        return dump(self._answer(results) | {"items": []})

    def _answer(self, results: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """Return the fields as we send them back."""
        said = [*(self.value.get("results") or []), *results]
        return self.value | {"apiVersion": API_VERSION} | ({"results": said} if results else {})
