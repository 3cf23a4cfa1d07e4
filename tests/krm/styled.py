"""YAML as people write it: values, the many ways to lay them out, and edits to them."""

import copy
from typing import Any

from hypothesis import strategies as st

from krmfn.krm import scalars

# fmt: off
TRAPS = (
    "", "x", "true", "True", "no", "NO", "on", "y", "N", "null", "~", "=", "<<", "---", "...", "- x", "-", "?", "? x",
    "1", "-1", "08", "0777", "0o7", "0O7", "0x1F", "0b11", "1e3", "1E+3", "12e03", "1234e56", "1_000", "1:20", "1.e3",
    "12:30:45", "2001-01-01", "2001-01-01T00:00:00Z", ".5", "5.", ".inf", "-.INF", ".nan", "+1", "1.10", "0.0", "1e400",
    "1,000", " lead", "trail ", "a: b", "a:", ":a", "a #b", "#a", "a#b", "'q'", '"q"', "it's", "*a", "&a", "!a", "%a",
    "@a", "`a", "[x", "{x", "a,b", "a]b", "{{ x }}", "|", ">", "a\\b", "\t", "tab\tx", "\tx", "é☃", "\U0001f600",
    "\xa0", "\x85", "\u2028", "\ufeff", "\x00", "\x7f", "a\r\nb", "\r", "multi\nline\n", "multi\n  line", "\n",
    "\nlead", " x\ny", "trail  \nx", "x\n\n", "x\n y\n", "/", "/a", "--flag=x", "-c", "nginx:1.2@sha256:0a", "a  b",
    "http://x/y?z=1", "100m", "25%", "x" * 90, "k8s.io/a-b_c", "a?b", "\n# no\n", "a\n\tb\n", "a\n\n\nb", "x\n# y\nz\n",
)
# fmt: on
NUMBERS = (0, 1, -5, 80, 8080, 1.5, 1e21, 1e-7, 2**53 + 1, 2**63 - 1, True, False, None)

words = st.sampled_from(
    ("name", "image", "a", "b", "app.kubernetes.io/name", "spec", "x-y", "metadata", "on", "1", "k: v", "é", "-")
)
leaves = (
    st.sampled_from(TRAPS)
    | st.sampled_from(NUMBERS)
    | st.sampled_from(("web", "nginx", "v1"))
    | st.text(max_size=8).filter(lambda s: not any(0xD800 <= ord(c) < 0xE000 for c in s))
)
values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(words, inner, max_size=5), max_leaves=14
)
manifests = st.dictionaries(words, values, min_size=1, max_size=5)


class Stylist:
    """Someone who writes YAML by hand, never twice alike."""

    def __init__(self, random: Any) -> None:
        """Settle how far this person indents."""
        self.random = random
        self.hang = random.choice((0, 2))
        self.step = random.choice((2, 2, 4))

    def document(self, value: dict[str, Any], *, flows: bool = True) -> str:
        """Write a mapping, in block style or as JSON-like flow."""
        if flows and self.random.random() < 0.1:
            return self.flow(value) + "\n"
        return self.remark(0) + "".join(self.block(value, 0)) + self.remark(0)

    def block(self, value: Any, column: int) -> list[str]:
        """Write a collection as whole lines."""
        entries = []
        for entry in value.items() if isinstance(value, dict) else value:
            head, inner = (
                (self.scalar(entry[0], one_line=True) + ":", entry[1]) if isinstance(value, dict) else ("-", entry)
            )
            entries.append(self.remark(column) + " " * column + head + self.rest(inner, column, dash=head == "-"))
        return entries

    def rest(self, value: Any, column: int, *, dash: bool) -> str:
        """Write what follows a key or a dash, with the end of its line."""
        if not isinstance(value, (dict, list)) or not value or self.random.random() < 0.15:
            gap = " " * self.random.choice((1, 1, 1, 3))
            return gap + self.inline(value, column)
        inner = column + (2 if dash else self.hang if isinstance(value, list) else self.step)
        if dash and self.random.random() < 0.8:
            gap = self.random.choice((1, 1, 1, 3))
            return " " * gap + "".join(self.block(value, column + 1 + gap)).lstrip(" \n")
        return self.note() + "\n" + "".join(self.block(value, inner)) + self.remark(inner)

    def inline(self, value: Any, column: int) -> str:
        """Write a scalar or a flow collection and end the line."""
        if isinstance(value, str) and "\n" in value and self.random.random() < 0.6:
            text = self.literal(value, column + self.random.choice((2, 2, 3, 4)), column)
            if text:
                return text
        text = self.flow(value) if isinstance(value, (dict, list)) else self.scalar(value)
        return text + self.note() + "\n"

    def literal(self, value: str, column: int, parent: int) -> str:
        """Write a literal block where that is possible without escapes."""
        body, breaks = value.rstrip("\n"), len(value) - len(value.rstrip("\n"))
        if not body or breaks > 1 or not all(c.isprintable() or c == "\n" for c in body):
            return ""
        chomp = "" if breaks else "-"
        lines = [" " * column + line if line else "" for line in body.split("\n")]
        return f"|{column - parent}{chomp}{self.note()}\n" + "\n".join(lines) + "\n"

    def flow(self, value: Any) -> str:
        """Write a value on one line or, in brackets, on several."""
        between = self.random.choice((", ", ", ", ",", ",\n          "))
        if isinstance(value, dict):
            inside = between.join(
                f"{self.scalar(k, one_line=True, flow=True)}: {self.flow(v)}" for k, v in value.items()
            )
            return "{" + inside + "}"
        if isinstance(value, list):
            return "[" + between.join(map(self.flow, value)) + "]"
        return self.scalar(value, flow=True)

    def scalar(self, value: Any, *, one_line: bool = False, flow: bool = False) -> str:
        """Write a scalar in any quotes, now and then on several lines."""
        style = self.random.choice(("", "", "'", '"'))
        text = scalars.scalar(value, style, flow=flow)
        if (
            not one_line
            and text[:1] == '"'
            and text.count(" ") == 1
            and "\\" not in text
            and text[1] != " " != text[-2]
        ):
            return text.replace(" ", "\n            ") if self.random.random() < 0.5 else text
        return text

    def note(self) -> str:
        """Write a comment at the end of a line, or none."""
        return self.random.choice(("", "", "", "", " # note", "   # a: b"))

    def remark(self, column: int) -> str:
        """Write lines of comment, or none."""
        column = max(0, column + self.random.choice((0, 0, 0, 0, 1, -1, -99)))
        return self.random.choice(("", "", "", "", "\n", " " * column + "# remark: x\n", " " * column + "#- a\n\n"))


@st.composite
def styled(draw: Any, manifests: Any = manifests, *, flows: bool = True) -> tuple[dict[str, Any], str]:
    """Draw a value and a text that someone might have written for it; ``flows``: perhaps in brackets as a whole."""
    value = draw(manifests)
    return value, Stylist(draw(st.randoms(use_true_random=False))).document(value, flows=flows)


def paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return every path in a value, without the root."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [p for key, child in inner for p in [(*path, key), *paths(child, (*path, key))]]


def at(value: Any, path: tuple[Any, ...]) -> Any:
    """Return the value at a path."""
    for step in path:
        value = value[step]
    return value


@st.composite
def changed(draw: Any, value: dict[str, Any]) -> dict[str, Any]:
    """Draw a value that differs from another in one to three places."""
    new = copy.deepcopy(value)
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(paths(new) or [()]))
        parent = at(new, path[:-1])
        change = draw(st.sampled_from(("set", "delete", "add", "shuffle")))
        if change == "add" and isinstance(parent, list):
            parent.insert(draw(st.integers(0, len(parent))), draw(values))
        elif change == "add":
            parent[draw(words)] = draw(values)
        elif path and change == "set":
            parent[path[-1]] = draw(values)
        elif path and change == "delete":
            del parent[path[-1]]
        elif isinstance(parent, list):
            parent.reverse()
    return new
