"""Read untyped fields, and complain with the full path of what is wrong.

A ``Fields`` is a place in a manifest. Its readers never raise: they note a problem and return a default, so that one
run tells a person all of their mistakes. ``settle`` raises what was noted.
"""

from krmfn.errors import KrmfnError
from krmfn.results import Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from krmfn.krm.item import Item, Ref


class Fields:
    """A place in a manifest: its value, the object it belongs to and the path to it."""

    def __init__(
        self, value: object, ref: "Ref | None" = None, path: str = "", problems: "list[KrmfnError] | None" = None
    ) -> None:
        """Start at the top of a manifest, or (used by the readers) further down."""
        self.value = value
        self.ref = ref
        self.path = path
        self.problems: list[KrmfnError] = [] if problems is None else problems

    def __bool__(self) -> bool:
        """Tell whether the author wrote anything here."""
        return self.value is not None

    def has(self, key: str) -> bool:
        """Tell whether the key is there with a value."""
        return isinstance(self.value, dict) and self.value.get(key) is not None

    def problem(self, message: str) -> None:
        """Note that this place is wrong."""
        self.problems.append(KrmfnError(message, ref=self.ref, field=self.path))

    def settle(self) -> None:
        """Raise everything that was noted, if anything was."""
        if self.problems:
            raise Refused(self.problems)

    def at(self, key: str | int) -> "Fields":
        """Go to a key of a mapping or an index of a list; the value there may be missing (None)."""
        step = f"[{key}]" if isinstance(key, int) else key if key.isidentifier() or "." not in key else f'["{key}"]'
        dot = "." if self.path and not step.startswith("[") else ""
        inner = self.value
        found = inner.get(key) if isinstance(inner, dict) else None
        if isinstance(key, int) and isinstance(inner, list):
            found = inner[key]
        return Fields(found, self.ref, f"{self.path}{dot}{step}", self.problems)

    def mapping(self, key: str, *, required: bool = False) -> "Fields":
        """Read a mapping."""
        place = self.at(key)
        if place.value is None and required:
            place.problem("is required")
        elif place.value is not None and not isinstance(place.value, dict):
            place.problem(f"must be a mapping, not {kind_of(place.value)}")
            place.value = None
        return place

    def names(self) -> "list[Any]":
        """Return the keys of a mapping; what is none has none."""
        return list(self.value) if isinstance(self.value, dict) else []

    def written(self, *keys: str) -> "dict[str, Any]":
        """Return what the author wrote under those of some keys that are there."""
        return {key: self.at(key).value for key in keys if self.has(key)}

    def sequence(self, key: str) -> "Iterator[Fields]":
        """Go through the entries of a list; a missing list has none."""
        return self.at(key).entries()

    def entries(self) -> "Iterator[Fields]":
        """Go through the entries of the list at this place."""
        if isinstance(self.value, list):
            yield from map(self.at, range(len(self.value)))
        elif self.value is not None:
            self.problem(f"must be a list, not {kind_of(self.value)}")

    def text(self, key: str, default: str = "", *, required: bool = False, choices: tuple[str, ...] = ()) -> str:
        """Read a string."""
        place = self.at(key)
        if place.value is None or place.value == "":
            if required:
                place.problem("is required")
            return default
        if not isinstance(place.value, str):
            quote = "" if isinstance(place.value, dict | list) else "; quote it"
            place.problem(f"must be a string, not {kind_of(place.value)}{quote}")
            return default
        if choices and place.value not in choices:
            place.problem(f"{place.value!r} is none of {', '.join(choices)}")
            return default
        return place.value

    def flag(self, key: str) -> bool:
        """Read a boolean; missing is false. The strings of a ConfigMap ("true", "false") count as well."""
        place = self.at(key)
        if place.value is None or place.value in ("true", "false"):
            return place.value == "true"
        if not isinstance(place.value, bool):
            place.problem(f"must be true or false, not {kind_of(place.value)}")
            return False
        return place.value

    def whole(self, key: str | int, least: int = 0, most: int = 2**31 - 1) -> int | None:
        """Read a whole number within bounds; None where it is missing or wrong."""
        place = self.at(key)
        value: Any = place.value
        if isinstance(value, float) and value == int(value):
            value = int(value)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int):
            place.problem(f"must be a whole number, not {kind_of(value)}")
            return None
        if not least <= value <= most:
            place.problem(f"{value} is out of range: {least} to {most}")
            return None
        return value

    def labels(self, key: str) -> dict[str, str]:
        """Read a mapping of strings."""
        place = self.mapping(key)
        return {name: place.text(name) for name in place.names()}


def top(item: "Item", *versions: str) -> Fields:
    """Return the top of an object. Raises KrmfnError where it is of none of those API versions; the last is advised."""
    place, version = Fields(item.value, item.ref), item.ref.api_version
    if version not in versions:
        place.at("apiVersion").problem(f"{version} is not known; use {versions[-1]}")
        place.settle()
    return place


def kind_of(value: object) -> str:
    """Name the type of a value as YAML users do, with the value where it is short."""
    if value is None:
        return "nothing"
    if isinstance(value, dict | list):
        return "a mapping" if isinstance(value, dict) else "a list"
    word = {bool: "a boolean", int: "a number", float: "a number", str: "a string"}.get(type(value), "that")
    return f"{word} ({str(value)[:40]!r})" if isinstance(value, str) else f"{word} ({str(value)[:40]})"
