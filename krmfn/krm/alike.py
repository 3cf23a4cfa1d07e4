"""Which values are the same, and which items of two lists belong together."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Pair = tuple[int | None, int | None]

_MOST_COMPARISONS = 2_500


def same(a: Any, b: Any) -> bool:
    """Compare two JSON values; tells true, 1 and "1" apart, while 1 equals 1.0 as in JSON."""
    if a is b or isinstance(a, str):
        return a is b or bool(a == b)
    if isinstance(a, dict):
        return isinstance(b, dict) and a.keys() == b.keys() and all(map(same, a.values(), map(b.__getitem__, a)))
    if isinstance(a, list):
        return isinstance(b, list) and len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if isinstance(a, float) or isinstance(b, float):
        return isinstance(a, (int, float)) and isinstance(b, (int, float)) and float(a) == float(b)
    return bool(a == b)


def likeness(a: Any, b: Any) -> float:
    """Return how much two values have in common, from 0 (nothing) to 1 (everything)."""
    if same(a, b):
        return 1.0
    if isinstance(a, dict) and isinstance(b, dict):
        if "name" in a and "name" in b and a["name"] != b["name"]:
            return 0.05
        return 0.05 + 0.9 * sum(likeness(a[key], b[key]) for key in a if key in b) / len(a.keys() | b.keys())
    if isinstance(a, list) and isinstance(b, list):
        return 0.05 + 0.9 * sum(map(likeness, a, b)) / max(len(a), len(b), 1)
    return 0.01 if isinstance(a, (dict, list)) is isinstance(b, (dict, list)) else 0.0


def pairs(old: list[Any], new: list[Any]) -> list[Pair]:
    """Pair the items of two lists without crossing, so that as much as possible stays where it is.

    Returns (index in old, index in new) in order; None where an item has no partner.
    """
    head = _common(old, new)
    tail = _common(old[head:][::-1], new[head:][::-1])
    middle = _middle(old[head : len(old) - tail], new[head : len(new) - tail])
    return [
        *((i, i) for i in range(head)),
        *((None if i is None else i + head, None if j is None else j + head) for i, j in middle),
        *((len(old) - tail + i, len(new) - tail + i) for i in range(tail)),
    ]


def _common(a: list[Any], b: list[Any]) -> int:
    """Return how many items both lists begin with."""
    count = 0
    for x, y in zip(a, b, strict=False):
        if not same(x, y):
            break
        count += 1
    return count


def _middle(old: list[Any], new: list[Any]) -> list[Pair]:
    """Pair what differs; very long lists by position."""
    if not old or not new or len(old) * len(new) > _MOST_COMPARISONS:
        both = min(len(old), len(new))
        rest = [(i, None) for i in range(both, len(old))] + [(None, j) for j in range(both, len(new))]
        return [*((i, i) for i in range(both)), *rest]
    alike = [[likeness(x, y) for y in new] for x in old]
    return _walk(alike, _best(alike))


def _best(alike: list[list[float]]) -> list[list[float]]:
    """Return the greatest sum of likeness that the items from (i, j) on can reach."""
    width = len(alike[0])
    best = [[0.0] * (width + 1) for _ in range(len(alike) + 1)]
    for i in range(len(alike) - 1, -1, -1):
        for j in range(width - 1, -1, -1):
            best[i][j] = max(best[i + 1][j], best[i][j + 1], best[i + 1][j + 1] + alike[i][j])
    return best


def _walk(alike: list[list[float]], best: list[list[float]]) -> list[Pair]:
    """Follow the best sums from the beginning to the end."""
    i = j = 0
    found: list[Pair] = []
    while i < len(alike) or j < len(alike[0]):
        left_old, left_new = i < len(alike), j < len(alike[0])
        if left_old and left_new and alike[i][j] > 0 and best[i][j] == best[i + 1][j + 1] + alike[i][j]:
            found.append((i, j))
            i, j = i + 1, j + 1
        elif left_old and (not left_new or best[i][j] == best[i + 1][j]):
            found.append((i, None))
            i += 1
        else:
            found.append((None, j))
            j += 1
    return found
