"""Values to new text, in kyaml's canonical style: two spaces, compact lists, `- name:` on the dash's line.

`Text` is a leaf that is already text: it stands in a value where the author's own YAML has to appear word for word.
"""

from __future__ import annotations

from krmfn.krm.scalars import quoted, scalar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_INDENTS = (" ", "\t", "\n")
_WORDS: dict[str, str] = {}  # short strings as they have been written; manifests have few different ones
_MOST_WORDS, _LONGEST_WORD = 4096, 64


class Text:
    """YAML text in the place of its value.

    ``text`` has no final newline; its root stands at ``column``; ``block`` says whether it needs lines of its own.
    """

    __slots__ = ("block", "column", "text", "value")

    def __init__(self, text: str, value: Any, *, column: int = 0, block: bool = False) -> None:
        """Keep a text with what it means."""
        self.text = text
        self.value = value
        self.column = column
        self.block = block


class Style:
    """How deep things stand: ``step`` for a mapping in a mapping, ``hang`` for a list in one (0: compact)."""

    __slots__ = ("hang", "step")

    def __init__(self, step: int = 2, hang: int = 0) -> None:
        """Use kyaml's style unless told otherwise."""
        self.step = step
        self.hang = hang


CANONICAL = Style()


def shifted(text: str, by: int) -> str:
    """Move every line of a text that is not empty by that many columns; none moves beyond the left edge."""
    if not by:
        return text
    if by > 0:
        return "\n".join(" " * by + line if line not in ("", "\r") else line for line in text.split("\n"))
    return "\n".join(line[min(-by, len(line) - len(line.lstrip(" "))) :] for line in text.split("\n"))


def block(value: Any, column: int = 0, style: Style = CANONICAL) -> str:
    """Write a value whose first line is already at ``column``; the other lines get there by spaces.

    No newline at the end. Raises ValueError for numbers that JSON cannot hold.
    """
    if isinstance(value, dict) and value:
        return _joined([_under_key(key, value[key], column, style) for key in value], column)
    if isinstance(value, list) and value:
        return _joined([_after_dash(item, column, style) for item in value], column)
    if isinstance(value, Text):
        return shifted(value.text, column - value.column).lstrip(" ")
    if isinstance(value, str):
        return literal(value, column + 2) or scalar(value)
    return flow(value)


def lines(value: Any, column: int, style: Style = CANONICAL) -> str:
    """Write a value on lines of its own at ``column``; a text keeps what stands before its first key."""
    if isinstance(value, Text):
        return shifted(value.text, column - value.column)
    return " " * column + block(value, column, style)


def _joined(entries: list[str], column: int) -> str:
    """Put each entry on its own line."""
    return ("\n" + " " * column).join(entries)


def _under_key(key: str, value: Any, column: int, style: Style) -> str:
    """Write one entry of a mapping at ``column``."""
    if type(value) is str and "\n" not in value:
        return f"{_string(key)}: {_string(value)}"
    return _string(key) + ":" + after_colon(value, column, style)


def _string(value: str) -> str:
    """Write a string on one line."""
    text = _WORDS.get(value)
    if text is None:
        text = scalar(value)
        if len(_WORDS) < _MOST_WORDS and len(value) <= _LONGEST_WORD:
            _WORDS[value] = text
    return text


def after_colon(value: Any, column: int, style: Style = CANONICAL, comment: str = "") -> str:
    """Write what follows the colon of a key at ``column``; an end-of-line comment stays on the key's line."""
    if is_block(value):
        inner = column + (style.hang if is_list(value) else style.step)
        return comment + "\n" + lines(value, inner, style)
    return " " + in_line(value, column + 2, comment)


def _after_dash(value: Any, column: int, style: Style) -> str:
    """Write one item of a list whose dash is at ``column``."""
    return "- " + (block(value, column + 2, style) if is_block(value) else in_line(value, column + 2))


def in_line(value: Any, column: int, comment: str = "") -> str:
    """Write what fits behind a key or a dash, with a comment; lines of a literal stand at ``column``."""
    if isinstance(value, str):
        if "\n" in value and (text := literal(value, column)):
            head, _, body = text.partition("\n")
            return head + comment + "\n" + body
        return scalar(value) + comment
    return (value.text if isinstance(value, Text) else flow(value, in_flow=False)) + comment


def is_block(value: Any) -> bool:
    """Say whether a value has lines of its own."""
    return value.block if isinstance(value, Text) else isinstance(value, (dict, list)) and bool(value)


def is_list(value: Any) -> bool:
    """Say whether a value is a list, as text or not."""
    return isinstance(value.value if isinstance(value, Text) else value, list)


def literal(value: str, column: int, *, single: bool = False, base: int = 2) -> str:
    """Write a string of several lines as a literal block at ``column``; "" where that would not be exact.

    ``single`` allows one line as well. ``base`` is the distance to the parent, which an indentation indicator names.
    """
    text = value.removesuffix("\n")
    lines = text.split("\n")
    if not _literal_holds(text) or (len(lines) == 1 and not single):
        return ""
    indicator = str(base) if value.startswith(_INDENTS) else ""
    head = "|" + indicator + ("" if value.endswith("\n") else "-")
    return "\n".join([head, *(" " * column + line if line else "" for line in lines)])


def _literal_holds(text: str) -> bool:
    """Say whether a literal block gives exactly this text, also after editors and kyaml have handled it.

    An empty last line would need the `+` that keeps every line break after it; trailing spaces are lost on the way.
    """
    if not text[text.rfind("\n") + 1 :].strip() or text.endswith((" ", "\t")) or " \n" in text or "\t\n" in text:
        return False
    return text.replace("\n", "").replace("\t", "").isprintable()


def flow(value: Any, *, in_flow: bool = True, json: bool = False) -> str:
    """Write a value on one line; ``json``: so that it is JSON, too."""
    if isinstance(value, Text):
        return flow(value.value, json=json) if value.block else value.text
    if isinstance(value, dict):
        entries = [f"{_word(key, json=json)}: {flow(value[key], json=json)}" for key in value]
        return "{" + ", ".join(entries) + "}"
    if isinstance(value, list):
        return "[" + ", ".join([flow(item, json=json) for item in value]) + "]"
    return _word(value, json=json) if json else scalar(value, flow=in_flow)


def _word(value: Any, *, json: bool) -> str:
    """Write a scalar inside brackets."""
    return quoted(value) if json and isinstance(value, str) else scalar(value, flow=True)
