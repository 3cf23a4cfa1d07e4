"""One scalar: what the API server reads in it, and how to write a value so that no reader takes it for another.

Reading follows sigs.k8s.io/yaml, which the API server, kubectl and Helm use: YAML 1.1 booleans, octal and binary
numbers, and JSON's idea of a number (`20.0` is 20). Writing is for every reader there is: a string is left plain only
where no YAML 1.1 or 1.2 reader could see anything but that string.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "on", "On", "ON", "true", "True", "TRUE"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "off", "Off", "OFF", "false", "False", "FALSE"), False),
}
# Starting is most of what a small run costs, and few packages need these patterns, or any.
_WHOLE = r"[-+]?(?:0[bB][01]+|0[xX][0-9a-fA-F]+|0[oO]?[0-7]+|0|[1-9][0-9]{0,19})"
_DECIMAL = r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
_NO_NUMBER = r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"

# What some reader takes for a number, a time, a boolean, null, a merge or an indicator.
_MISREAD_WORDS = frozenset(word.lower() for word in _WORDS) | {"=", "<<", ".inf", "-.inf", "+.inf", ".nan"}
_LONGEST_WORD = max(map(len, _MISREAD_WORDS))
_MISREAD = "-+.:,_0123456789abcdefABCDEFoOxXtTzZ \t"

_DIGITS = frozenset("0123456789")
# With what a number begins, behind its sign, and with what it ends.
_FIRST, _LAST = _DIGITS | {".", "_"}, frozenset("0123456789abcdefABCDEF_.nN")
_PLAIN_IN_FLOW = r"[A-Za-z0-9_/.$][\w/.$%+@~-]*"
_TYPES: dict[str, Any] = {"int": int, "float": (int, float), "bool": bool, "null": type(None)}
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def resolve(text: str) -> Any:
    """Return the value of an untagged plain scalar: str, int, float, bool or None.

    Raises ValueError for infinity and not-a-number, which JSON cannot hold.
    """
    if text in _WORDS:
        return _WORDS[text]
    return number(text) if text[0] in "+-.0123456789" else text


def number(text: str) -> Any:
    """Return the int or float that ``text`` spells, or ``text`` itself."""
    if text.isdecimal() and text.isascii() and (text[0] != "0" or text == "0") and len(text) < 19:  # noqa: PLR2004
        return int(text)
    if text[-1] not in _LAST or text.lstrip("+-")[:1] not in _FIRST:
        return text
    import re

    digits = text.replace("_", "")
    if re.fullmatch(_WHOLE, digits) and -(2**63) <= (whole := _whole(digits)) < 2**64:
        return _within_64_bits(whole)
    if re.fullmatch(_DECIMAL, digits):
        value = float(digits)
        return text if value in (float("inf"), float("-inf")) else _within_64_bits(value)
    if re.fullmatch(_NO_NUMBER, text):
        message = f"{text} is not a number that JSON can hold"
        raise ValueError(message)
    return text


def _whole(digits: str) -> int:
    """Read an integer with Go's prefixes; a leading zero means octal."""
    bare = digits.lstrip("+-")
    base = 0 if bare == "0" or bare[0] != "0" or bare[1] in "bBoOxX" else 8
    return -int(bare, base) if digits[0] == "-" else int(bare, base)


def _within_64_bits(value: float) -> int | float:
    """Return an int for every whole number of 64 bits and a float for all others, as the API server has them."""
    if -(2**63) <= value < 2**63:
        return int(value) if value == int(value) else value
    return float(value)


def tagged(text: str, tag: str) -> Any:
    """Return the value of a scalar with a tag; raises ValueError where the text cannot be that.

    Tags outside YAML's own repertoire, and those of the repertoire that JSON has no type for, leave a string.
    """
    kind = tag.removeprefix("tag:yaml.org,2002:")
    if kind == "binary":
        from binascii import a2b_base64

        return a2b_base64(text).decode("utf-8", "replace")
    if kind not in _TYPES:
        return text
    value = resolve(text)
    if not isinstance(value, _TYPES[kind]) or (isinstance(value, bool) and kind != "bool"):
        message = f"{text!r} is not a value of type {kind}"
        raise ValueError(message)
    return value


def plain(value: str, *, flow: bool = False) -> bool:
    """Say whether every reader takes this string, written plain, for what it is."""
    if flow and not _plain_in_flow(value):
        return False
    if _misread(value) or value.startswith(("---", "...")) or not value.isprintable():
        return False
    if value.endswith((":", " ")) or ": " in value or " #" in value or "  " in value:
        return False
    return value[0].isalnum() or value[0] in "_/" or (value[0] in ".$(+^;~-" and value[1:2] not in ("", " "))


def _plain_in_flow(value: str) -> bool:
    import re

    return re.fullmatch(_PLAIN_IN_FLOW, value) is not None


def _misread(value: str) -> bool:
    """Say whether a reader could take the text for something else than a string."""
    if len(value) <= _LONGEST_WORD and value.lower() in _MISREAD_WORDS:
        return True
    if value.isascii() and value.isdecimal():
        return True
    return value.lstrip("-+.")[:1] in _DIGITS and not value.strip(_MISREAD)


def quoted(value: str) -> str:
    """Write a string in double quotes, with escapes that are JSON's as well."""
    if value.isprintable() and '"' not in value and "\\" not in value:
        return f'"{value}"'
    return '"' + "".join(c if c.isprintable() and c not in _ESCAPES else _escaped(c) for c in value) + '"'


def _escaped(character: str) -> str:
    """Escape one character; beyond 16 bits there is no escape that both JSON and YAML know, and no need for one."""
    code = ord(character)
    return _ESCAPES.get(character) or (f"\\u{code:04x}" if code < 1 << 16 else character)


def scalar(value: Any, style: str = "", *, flow: bool = False) -> str:
    """Write a scalar on one line.

    ``style`` is the quote the author used (``'``, ``"`` or none) and is kept for strings where it can be; ``flow`` says
    that the text goes into ``[…]`` or ``{…}``. Raises ValueError for infinity and not-a-number.
    """
    if isinstance(value, str):
        return _string(value, style, flow=flow)
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int) and -(2**63) <= value < 2**64:
        return str(value)
    return _float(float(value))


def _string(value: str, style: str, *, flow: bool) -> str:
    """Write a string on one line: plain, else as strings that look like something else are, else as special ones."""
    if not style and plain(value, flow=flow):
        return value
    if style == "'" or (not style and not _misread(value) and not flow):
        return "'" + value.replace("'", "''") + "'" if value.isprintable() else quoted(value)
    return quoted(value)


def _float(value: float) -> str:
    """Write a float so that YAML 1.1, which wants a point, reads it too."""
    if value != value or value in (float("inf"), float("-inf")):  # noqa: PLR0124 - only not-a-number differs from itself
        message = f"{value} is not a number that JSON can hold"
        raise ValueError(message)
    if value == int(value) and abs(value) < 10**15:
        return str(int(value))
    mantissa, mark, exponent = repr(value).partition("e")
    return mantissa + (".0" if mark and "." not in mantissa else "") + mark + exponent


def key(value: Any) -> str:
    """Return what a scalar becomes as a key: keys of JSON are strings, so `on` is "true" and `1` is "1"."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else str(value)
