"""What a stage asks of requests has to be something that a request can be asked for.

Every provider writes names and values into a text of its own: a regular expression, a predicate, JSON. What no request
can have, or what would end such a text early, is refused here once, for all of them.
"""

from krmfn.fields import Fields

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from krmfn.krm import Ref

# RFC 9110, 5.6.2; and ":path" of HTTP/2, "@request.auth.claims[group]" of Istio.
TOKEN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-.^_`|~")
HEADER = TOKEN | frozenset(":@[]")
PARTS = ("headers", "cookies", "queryParams", "callers")
# Kubernetes, "Labels and selectors": syntax and character set; only the key may have a slash.
LABEL = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")
REGEX = "RegularExpression"


def check(stage: "dict[str, Any]", ref: "Ref | None" = None) -> None:
    """Raise KrmfnError with every name and value of a stage that no request can have."""
    problems = Fields(stage, ref)
    mirrored = problems.at("mirror")
    for place in (problems, mirrored):
        for match in place.sequence("matches"):
            _match(match)
    modifier = problems.at("headerModifier")
    for verb in ("set", "add"):
        for header in modifier.sequence(verb):
            _name(header.at("name"), HEADER)
            _text(header.at("value"))
    for name in modifier.sequence("remove"):
        _name(name, HEADER)
    problems.settle()


def _match(match: Fields) -> None:
    for part in PARTS:
        for condition in match.sequence(part):
            _condition(condition, part)
    for part in ("path", "method"):
        if match.has(part):
            _value(match.at(part))


def _condition(condition: Fields, part: str) -> None:
    if part == "callers":
        _label(condition)
    elif part != "queryParams":
        _name(condition.at("name"), HEADER if part == "headers" else TOKEN)
    elif not condition.text("name", required=True).isprintable():
        condition.at("name").problem("has a control character in it, which no route can look for")
    value = condition.at("value")
    if part == "cookies" and condition.at("type").value != REGEX and ";" in str(value.value):
        value.problem("has a semicolon in it, which no cookie has")
    _value(condition)


def _label(condition: Fields) -> None:
    for key, allowed in (("name", LABEL | {"/"}), ("value", LABEL)):
        if wrong := sorted(set(str(condition.at(key).value or "")) - allowed):
            condition.at(key).problem(f"has {wrong[0]!r} in it, which no label has")


def _value(condition: Fields) -> None:
    value = condition.at("value")
    _text(value)
    if condition.at("type").value == REGEX and (why := broken(str(value.value))):
        value.problem(f"is no regular expression: {why}")


def _name(place: Fields, allowed: frozenset[str]) -> None:
    if not place.value:
        place.problem("is required")
    elif wrong := sorted(set(str(place.value)) - allowed):
        place.problem(f"has {wrong[0]!r} in it, which no name of a header or a cookie has")


def _text(place: Fields) -> None:
    if any((c < " " and c != "\t") or c == "\x7f" for c in str(place.value or "")):
        place.problem("has a control character in it, which no route can look for or send; leave it out")


def broken(pattern: str) -> str:
    """Return why a text is no regular expression by itself, though it may become one in parentheses; "" if it is."""
    depth = 0
    for piece in _pieces(pattern):
        if len(piece) > 1:
            return piece
        depth += {"(": 1, ")": -1}[piece]
        if depth < 0:
            return "it closes a parenthesis that it has not opened"
    return "it does not close a parenthesis that it has opened" if depth else ""


def _pieces(pattern: str) -> "Iterator[str]":
    """Yield each parenthesis that groups, and where the text ends within something else, why it must not."""
    at = 0
    while at < len(pattern):
        char, start = pattern[at], at
        if char == "\\":
            quote = pattern[at + 1 : at + 2] == "Q"
            at = _after(pattern, "\\E", at + 2) if quote else at + 2
        elif char == "[":
            at = _class(pattern, at + 1)
        else:
            at += 1
            if char in "()":
                yield char
        if at > len(pattern):
            yield f"nothing ends what begins with {pattern[start : start + 9]}"


def _class(pattern: str, at: int) -> int:
    """Return the place behind a class of characters."""
    at += pattern[at : at + 1] == "^"
    at += pattern[at : at + 1] == "]"
    while at < len(pattern) and pattern[at] != "]":
        if pattern[at] == "\\":
            at += 2
        else:
            at = _after(pattern, ":]", at + 2) if pattern[at : at + 2] == "[:" else at + 1
    return at + 1


def _after(pattern: str, end: str, at: int) -> int:
    found = pattern.find(end, at)
    return found + len(end) if found >= 0 else len(pattern) + 1
