"""Three values of one list: what an author wrote, what was made of it, and what a person made of that in turn.

Rules of routes have no names by which they could be told apart, so it is worked out which of ours stands for which of
the author's: one that is the same, or the one between the same neighbours where their number is the same. A change
goes back to the author's where that is certain. Anything else is a clash, and so is whatever would carry something of
ours (the canary's Service) over to the author.
"""

from krmfn.changes import GONE
from krmfn.krm import same

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    Home = int | None | str


class _Clash(Exception):
    """Nobody can tell what a change would have been in the author's words."""


# Where an entry came from cannot be told.
UNKNOWN = "unknown"


def merged(base: "Any", wrote: "Any", now: "Any") -> "Any":
    """Return what a person, who made ``now`` of ``wrote``, would have made of ``base``; GONE where nobody can tell."""
    try:
        return _merged(base, wrote, now, _texts(wrote) - _texts(base))
    except _Clash:
        return GONE


def _merged(base: "Any", wrote: "Any", now: "Any", ours: frozenset[str]) -> "Any":
    if _alike(now, wrote) or _alike(now, base):
        return base
    if _alike(base, wrote):
        return _theirs(now, ours)
    if isinstance(base, dict) and isinstance(wrote, dict) and isinstance(now, dict):
        keys = dict.fromkeys((*base, *now, *wrote))
        parts = {k: _merged(base.get(k, GONE), wrote.get(k, GONE), now.get(k, GONE), ours) for k in keys}
        return {key: value for key, value in parts.items() if value is not GONE}
    if isinstance(base, list) and isinstance(wrote, list) and isinstance(now, list):
        return _list(base, wrote, now, ours)
    raise _Clash


def _theirs(value: "Any", ours: frozenset[str]) -> "Any":
    """Return what a person wrote, if nothing in it is ours."""
    if value is not GONE and ours & _texts(value):
        raise _Clash
    return value


def _list(base: "list[Any]", wrote: "list[Any]", now: "list[Any]", ours: frozenset[str]) -> "list[Any]":
    homes = list(_homes(base, wrote))
    # For each of the author's entries what stands in its place; behind the last one is a place for more.
    kept: list[list[Any]] = [*([entry] for entry in base), []]
    for tag, start, end, first, last in _blocks(wrote, now):
        if tag == "insert":
            place = _place(homes, start, len(base))
            kept[place] = [*(_theirs(entry, ours) for entry in now[first:last]), *kept[place]]
        elif tag == "replace" and end - start != last - first:
            raise _Clash
        elif tag != "equal":
            for index in range(start, end):
                home = _home(homes, index)
                entry = now[first + index - start] if tag == "replace" else GONE
                kept[home] = [] if entry is GONE else [_merged(base[home], wrote[index], entry, ours)]
    return [entry for entries in kept for entry in entries]


def _homes(base: "list[Any]", wrote: "list[Any]") -> "Iterator[Home]":
    """Yield for each entry that we wrote the place of the author's that it stands for; None for one that we added."""
    for _, start, end, first, last in _blocks(base, wrote):
        if end - start == last - first:
            yield from range(start, end)
        else:
            yield from [None if start == end else UNKNOWN] * (last - first)


def _home(homes: "list[Home]", index: int) -> int:
    home = homes[index]
    if not isinstance(home, int):
        raise _Clash
    return home


def _place(homes: "list[Home]", index: int, count: int) -> int:
    """Return where the author would have put something that stands before one of our entries, or behind the last."""
    before = homes[index - 1] if index else -1
    if isinstance(before, int):
        return before + 1
    return count if index == len(homes) and before is None else _home(homes, index)


def _blocks(old: "list[Any]", new: "list[Any]") -> "Sequence[tuple[str, int, int, int, int]]":
    """Return how one list becomes another, in the words of ``difflib``."""
    from difflib import SequenceMatcher

    a, b = ([_canonical(entry) for entry in side] for side in (old, new))
    return SequenceMatcher(None, a, b, autojunk=False).get_opcodes()


def _alike(one: "Any", other: "Any") -> bool:
    return one is other or (GONE not in (one, other) and same(one, other))


def _canonical(value: "Any") -> str:
    """Return the same text for values that mean the same."""
    if isinstance(value, dict):
        return f"{{{','.join(f'{key!r}:{_canonical(value[key])}' for key in sorted(value))}}}"
    if isinstance(value, list):
        return f"[{','.join(map(_canonical, value))}]"
    return repr(value)


def _texts(value: "Any") -> frozenset[str]:
    """Return every text within a value that could name an object: the words of an API have capital letters."""
    if isinstance(value, dict):
        return frozenset().union(*map(_texts, value.values()))
    if isinstance(value, list):
        return frozenset().union(*map(_texts, value))
    return frozenset((value,)) if isinstance(value, str) and value == value.lower() else frozenset()
