"""JSON text, in which values cross into Lua and back: the half of the json module that is C.

The other half, in Python, is for options that nobody here uses, and importing it takes 1.2 ms of a run of 30.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Plain:
    """The options of ``json.loads`` where none is given, as the C half asks for them."""

    strict, object_hook, object_pairs_hook = True, None, None
    parse_float, parse_int, parse_constant = float, int, float

    def __init__(self) -> None:
        """Start with no keys seen."""
        self.memo: dict[str, str] = {}


def encode(value: "Any") -> bytes:
    """Return a JSON value as text, without spaces."""
    try:
        from _json import encode_basestring, make_encoder
    except ImportError:  # another Python than CPython
        import json

        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    write = make_encoder({}, _refused, encode_basestring, None, ":", ",", False, False, True)  # noqa: FBT003
    return "".join(write(value, 0)).encode()


def _refused(value: object) -> "Any":
    message = f"{value!r} is no JSON value"
    raise TypeError(message)


def decode(text: str) -> "Any":
    """Return the value of a JSON text without space around it."""
    try:
        from _json import make_scanner
    except ImportError:
        import json

        return json.loads(text)
    scan: Any = make_scanner
    return scan(Plain())(text, 0)[0]
