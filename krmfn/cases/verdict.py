"""How a case ended, and how what a script made differs from what it had to make."""

from krmfn import krm
from krmfn.errors import KrmfnError
from krmfn.frozen import Value
from krmfn.results import errors

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

KEPT, FAILED, BARE = "ok", "FAILED", "no case"
INDENT = "  "  # of a message, which is no line of a diff


class Verdict(Value):
    """How one case ended, or (BARE) that a script has none.

    ``path`` is the file of the case, or of the script that has none; ``says`` is a few words; ``details`` are lines:
    messages, and unified diffs.
    """

    path: str
    outcome: str
    says: str = ""
    details: tuple[str, ...] = ()


def refused(path: str, problem: KrmfnError) -> Verdict:
    """Return the verdict on what cannot even be tried."""
    return Verdict(path, FAILED, "cannot be run", tuple(reasons(problem)))


def reasons(problem: KrmfnError, place: str = "") -> "list[str]":
    """Return everything that an error says, a line each."""
    return [INDENT + place + result.line().removeprefix(f"{result.severity}: ") for result in errors(problem)]


def unlike(expected: "Any", made: "Any", place: str = "") -> "list[str]":
    """Return the unified diff of two values as YAML, line by line; nothing where their text is the same."""
    import difflib

    old, new = (krm.dump(value).splitlines() for value in (expected, made))
    return list(difflib.unified_diff(old, new, f"expected{place}", f"made{place}", lineterm=""))


def arranged(value: "Any", like: "Any") -> "Any":
    """Return a value with the keys of its maps in the order of another one, so that a diff shows no order."""
    if isinstance(value, dict) and isinstance(like, dict):
        keys = [key for key in like if key in value] + [key for key in value if key not in like]
        return {key: arranged(value[key], like.get(key)) for key in keys}
    if isinstance(value, list) and isinstance(like, list):
        beside: Sequence[Any] = [*like, *[None] * len(value)]
        return [arranged(one, other) for one, other in zip(value, beside, strict=False)]
    return value
