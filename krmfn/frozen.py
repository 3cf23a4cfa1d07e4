"""Frozen values with named fields: what the standard library's dataclasses give, at a tenth of their import time.

``import dataclasses`` costs more than starting Python does, and a KRM function is started once per run. A value is
compared by its fields, cannot be changed, and is copied with ``replace``.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, ClassVar, Self, dataclass_transform
else:

    def dataclass_transform(**_: object):  # noqa: ANN201 - the stand-in for a decorator that only type checkers read
        """Stand in for ``typing.dataclass_transform``: leave the class as it is."""
        return lambda cls: cls


@dataclass_transform(frozen_default=True, kw_only_default=False)
class Value:
    """A frozen value; subclasses declare their fields as annotations, with or without a default."""

    _fields: "ClassVar[tuple[str, ...]]" = ()
    _required: "ClassVar[frozenset[str]]" = frozenset()

    def __init_subclass__(cls) -> None:
        """Collect the fields in the order in which they are declared."""
        own = cls.__dict__.get("__annotations__", {})  # noqa: RUF063 - inspect takes longer than all of ours
        cls._fields = (*cls._fields, *(name for name in own if name not in cls._fields))
        cls._required = frozenset(name for name in cls._fields if not hasattr(cls, name))

    def __init__(self, *args: object, **kwargs: object) -> None:
        """Fill the fields by position, then by name, then from their defaults."""
        given = dict(zip(self._fields, args, strict=False), **kwargs)
        if not self._required <= given.keys() <= set(self._fields) or len(args) > len(self._fields):
            missing = [name for name in self._fields if name in self._required and name not in given]
            unknown = [name for name in given if name not in self._fields]
            message = f"{type(self).__name__}: missing {missing}, unknown {unknown}"
            raise TypeError(message)
        self.__dict__.update(given)

    def __setattr__(self, name: str, value: object) -> None:
        """Refuse: a value is never changed."""
        message = f"{type(self).__name__} is frozen; use replace({name}=...)"
        raise AttributeError(message)

    def _values(self) -> "tuple[Any, ...]":
        return tuple(getattr(self, f) for f in self._fields)

    def __eq__(self, other: object) -> bool:
        """Compare by type and fields."""
        return type(self) is type(other) and self._values() == other._values()

    def __hash__(self) -> int:
        """Hash by fields."""
        return hash(self._values())

    def __repr__(self) -> str:
        """Show the type and the fields."""
        inside = ", ".join(f"{f}={getattr(self, f)!r}" for f in self._fields)
        return f"{type(self).__name__}({inside})"

    def replace(self, **changes: object) -> "Self":
        """Return a copy with some fields changed."""
        return type(self)(**{f: getattr(self, f) for f in self._fields} | changes)
