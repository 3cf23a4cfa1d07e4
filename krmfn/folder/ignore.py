"""Files that are left out: ``.krmignore`` in any folder, in the words of gitignore.

Source: gitignore(5), "PATTERN FORMAT"; kpt reads the same file in the same way.
"""

import re

from krmfn.frozen import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

NAME = ".krmignore"
_TOKEN = re.compile(r"\*\*/|/\*\*$|\*+|\?|\[[!^]?\]?+[^\]]*+\]|\\.|.")
_SPECIAL = re.compile(r"[][\\&~|^]|--")


class Rule(Value):
    """One line: what it matches, and whether it takes a file back in or speaks of folders only."""

    pattern: "re.Pattern[str]"
    negated: bool
    folders_only: bool


class Ignore(Value):
    """One file's rules, which hold in ``folder`` ("" for the top) and below."""

    folder: str
    rules: tuple[Rule, ...]


def parse(folder: str, text: str) -> Ignore:
    """Read a ``.krmignore`` that stands in ``folder``."""
    return Ignore(folder, tuple(_rules(text)))


def ignored(name: str, files: "Sequence[Ignore]") -> bool:
    """Tell whether a file is left out; ``files`` go from the top down. What is in an ignored folder stays out."""
    parts = name.split("/")
    depths = range(1, len(parts) + 1)
    return any(_last_word("/".join(parts[:depth]), folder=depth < len(parts), files=files) for depth in depths)


def _last_word(name: str, *, folder: bool, files: "Sequence[Ignore]") -> bool:
    verdict = False
    for ignore in files:
        prefix = f"{ignore.folder}/" if ignore.folder else ""
        if not name.startswith(prefix):
            continue
        for rule in ignore.rules:
            if (folder or not rule.folders_only) and rule.pattern.fullmatch(name[len(prefix) :]):
                verdict = not rule.negated
    return verdict


def _rules(text: str) -> "Iterator[Rule]":
    for given in text.splitlines():
        line = given.rstrip() if not given.rstrip().endswith("\\") else given.rstrip() + " "
        if not line or line.startswith("#"):
            continue
        negated, folders_only = line.startswith("!"), line.endswith("/")
        yield Rule(_pattern(line[negated:].rstrip("/")), negated, folders_only)


def _pattern(line: str) -> "re.Pattern[str]":
    """Write a pattern as a regular expression: one with a slash is anchored, any other matches at every depth."""
    anywhere = "" if "/" in line else "(?:.*/)?"
    return re.compile(anywhere + "".join(map(_piece, _TOKEN.findall(line.removeprefix("/")))))


def _piece(token: str) -> str:
    known = {"**/": "(?:.*/)?", "/**": "/.+", "?": "[^/]"}
    if token in known:
        return known[token]
    if token[0] == "*":
        return "[^/]*"
    return _set(token[1:-1]) if token[0] == "[" and len(token) > 1 else re.escape(token[-1])


def _set(inside: str) -> str:
    """Write a set of characters; one that makes no sense, such as ``[z-a]``, matches nothing."""
    negation = "^" if inside[0] in "!^" else ""
    found = f"(?!/)[{negation}{_SPECIAL.sub(_escaped, inside[len(negation) :])}]"
    try:
        re.compile(found)
    except re.error:
        return "(?!)"
    return found


def _escaped(found: "re.Match[str]") -> str:
    return "".join(f"\\{character}" for character in found[0])
