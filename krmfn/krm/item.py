"""One object of a package: its text as it stands, and what can be asked of it.

An item is its text. What it means is read when somebody asks, and a changed item keeps the author's text wherever the
meaning stayed the same: comments, order, quotes and indentation are not ours.
"""

from __future__ import annotations

from krmfn.errors import NotYaml
from krmfn.frozen import Value
from krmfn.krm import emit, head, revise, tree
from krmfn.krm.alike import same
from krmfn.krm.source import Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    Manifest = dict[str, Any]
    Path = tuple[str | int, ...]
else:
    Manifest = dict
    Path = tuple

__all__ = ["Item", "Manifest", "Path", "Ref", "dump", "load", "new", "retext", "same"]


class Ref(Value):
    """Which object.

    ``api_version`` is "apps/v1" or "v1"; ``namespace`` is "" where the manifest names none.
    """

    api_version: str
    kind: str
    namespace: str
    name: str

    @property
    def group(self) -> str:
        """The API group; "" for the core API."""
        return self.api_version.rpartition("/")[0]

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What the API server tells objects apart by: group, kind, namespace, name."""
        return (self.group, self.kind, self.namespace, self.name)

    def __str__(self) -> str:
        """Show it the way people write it: ``Deployment default/web``."""
        place = f"{self.namespace}/" if self.namespace else ""
        return f"{self.kind} {place}{self.name}"


class Item:
    """One object of the input, or a new one; immutable.

    ``raw`` is the text as it stands. ``listed`` is the column of the dash with which it begins, for an item of a
    list; None for a document of a stream. ``path`` and ``index`` say which document of which file it came from: as
    given, else by kpt's annotations, else "" and 0. ``mark`` is its position in the input, -1 for a new one.
    """

    __slots__ = ("_head", "_index", "_path", "_read", "_ref", "_text", "_value", "listed", "mark", "raw")

    def __init__(
        self,
        raw: bytes | memoryview,
        *,
        listed: int | None = None,
        path: str = "",
        index: int = 0,
        mark: int = -1,
    ) -> None:
        """Take a text; nothing is read yet."""
        self.raw = raw
        self.listed = listed
        self.mark = mark
        self._path = path
        self._index = index
        self._text: str | None = None
        self._read: Source | None = None
        self._value: Any = _UNREAD
        self._head: head.Head | None = None
        self._ref: Ref | None = None

    def __repr__(self) -> str:
        """Show what it is and where it is from."""
        return f"<Item {self.ref} {self.path}[{self.index}]>"

    @property
    def text(self) -> str:
        """The text, decoded; raises NotYaml where it is not UTF-8."""
        if self._text is None:
            try:
                self._text = str(self.raw, "utf-8")
            except UnicodeDecodeError as error:
                line = bytes(self.raw[: error.start]).count(b"\n") + 1
                raise NotYaml(f"not UTF-8 ({error.reason})", line=line) from None
        return self._text

    @property
    def value(self) -> dict[str, Any]:
        """What the API server reads; callers never change it. Raises NotYaml.

        Any other value than a mapping comes back as it is: a package may hold what is no object.
        """
        if self._value is _UNREAD:
            self._value = self._source.value
        return self._value  # type: ignore[no-any-return]

    @property
    def ref(self) -> Ref:
        """What the object is called; "" for each part that is not there. Never raises."""
        if self._ref is None:
            paths = (("apiVersion",), ("kind",), ("metadata", "namespace"), ("metadata", "name"))
            self._ref = Ref(*(self._facts().get(path, "") for path in paths))
        return self._ref

    @property
    def path(self) -> str:
        """The file this object came from; "" where nobody knows."""
        return self._path or head.origin(self._facts())[0]

    @property
    def index(self) -> int:
        """Which document of its file this object is."""
        return self._index if self._path or self._index else head.origin(self._facts())[1]

    def excerpt(self, path: tuple[str | int, ...]) -> str:
        """Return the text of the value at ``path`` with its comments, as a document of its own.

        Raises KeyError where there is nothing, and NotYaml.
        """
        return revise.excerpt(self._source, path)

    def edited(self, value: dict[str, Any], verbatim: Mapping[tuple[str | int, ...], str] | None = None) -> Item:
        """Return an item in the same place that means ``value``; only what differs is written anew.

        ``verbatim`` gives, by path, the text to use for a value, as ``excerpt`` returned it; a text that does not mean
        the value at its path is ignored. Raises NotYaml where the item is none, and KrmfnError where the value cannot
        be written.
        """
        text = revise.revised(self._source, value, verbatim or {})
        return self if text == self.text else self._with(text, value)

    def at(self, listed: int | None) -> str:
        """Return the object's text for a list with its dashes at column ``listed``, or as a document (None)."""
        return self.text if listed == self.listed else revise.moved(self._source, listed)

    @property
    def _source(self) -> Source:
        if self._read is None:
            self._read = Source(self.text, self.listed)
        return self._read

    def _with(self, text: str, value: dict[str, Any]) -> Item:
        item = Item(text.encode(), listed=self.listed, path=self._path, index=self._index, mark=self.mark)
        item._value = value
        return item

    def _facts(self) -> head.Head:
        if self._head is None:
            self._head = self._read_head()
        return self._head

    def _read_head(self) -> head.Head:
        if self._value is not _UNREAD:
            return head.of_value(self._value)
        try:
            found = head.head(" " * (self.listed or 0) + self.text, listed=self.listed is not None)
            return head.of_value(self.value) if found is None else found
        except NotYaml:
            return {}


class Made(Item):
    """An item that was written from a value, so that all of its text is ours: another value is written just so.

    It is read back in the form in which it goes out, and in no other: three new objects were read for 1 ms of 30.
    """

    __slots__ = ()

    def at(self, listed: int | None) -> str:
        """Return the object's text as ``Item.at`` does; raises KrmfnError where it does not mean the value."""
        return revise.believed(self.text, self.value) if listed is None else self.listed_as(self.value, listed)

    def listed_as(self, value: dict[str, Any], column: int) -> str:
        """Return a text that means ``value``, for a list with dashes at a column; as ``edited`` and ``at`` would."""
        return revise.listed(value, column)


_UNREAD: Any = object()


def new(value: dict[str, Any], path: str = "", index: int = 0) -> Item:
    """Return an item that is not in the input: block style, keys in the order of ``value``."""
    item = Made(revise.drafted(value), path=path, index=index)
    item._value = value  # noqa: SLF001 - the text has just been made from it
    return item


def dump(value: Any) -> str:
    """Write any JSON value as YAML in block style; no reader can take one of its strings for something else."""
    return emit.lines(value, 0) + "\n"


def load(text: str) -> Any:
    """Return what the API server reads in a YAML text; None for an empty one. Raises NotYaml."""
    root = tree.recall(text)
    return root.value if root else None


def retext(text: str, value: Any, verbatim: Mapping[tuple[str | int, ...], str] | None = None) -> str:
    """Return the text of a document, changed where it has to be so that it means ``value``; as ``Item.edited``."""
    return revise.revised(Source(text), value, verbatim or {})
