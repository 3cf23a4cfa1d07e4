"""What each provider that comes with us can express: a table for a terminal, one for a README, JSON for programs.

Everything is computed from the scripts, so nobody has to remember to write it down.
"""

import textwrap

from krmfn import lua
from krmfn.config import API_VERSION
from krmfn.lua.cases import scripts
from krmfn.lua.room import library

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

KIND = "ProviderList"
NONE = "-"
CORE = "core"
# A feature such as "header.exact" has its own sign in the column of its first word. A column without a title here is
# headed by that word, a kind without a sign is written out, so a new feature is never left out.
TITLES = {"matches": "OR", "conditions": "AND", "weight+matches": "BOTH", "headerModifier": "EDIT", "caller": "FROM"}
SIGNS = {"exact": "=", "regex": "~", "prefix": "/", "matches": "some", "sticky": "!"}
WORDS = {"": "yes", "many": "yes"}
LEGEND = (
    ("=", "exactly"),
    ("~", "by a regular expression"),
    ("/", "a path and all below it"),
    ("OR", "several matches, any of which may hold"),
    ("AND", "several conditions in one match, all of which have to hold"),
    ("BOTH", "a weight for the requests that match nothing"),
    ("EDIT", "headers changed in the requests that the canary gets"),
    ("MIRROR", "copies of requests for the canary, of all or of those that match"),
    ("FROM", "labels of the pods that call"),
    ("!", "a cookie by which whoever the weight has sent to the canary stays there"),
)
WIDTH = 120
_GAP = "  "


def providers() -> "list[lua.Script]":
    """Return every provider that comes with us, in the order of its name. Raises KrmfnError for one that is broken."""
    from os import sep
    from os.path import dirname, relpath

    found = [lua.find(*relpath(dirname(path), library()).split(sep)) for path in scripts(library())]
    return sorted(filter(None, found), key=lambda script: script.name)


def table(found: "Iterable[lua.Script]") -> str:
    """Return the providers as aligned text."""
    rows = [("PROVIDER", *(_title(column).upper() for column in columns()))]
    rows += [(script.name, *_cells(script, SIGNS, " ")) for script in found]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    width = max(len(sign) for sign, _ in LEGEND)
    lines = [_GAP.join(cell.ljust(n) for cell, n in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([*lines, "", *(f"{sign.ljust(width)}{_GAP}{words}" for sign, words in LEGEND)]) + "\n"


def markdown(found: "Iterable[lua.Script]") -> str:
    """Return the providers as a table in Markdown."""
    head = ("Provider", *(_title(column).capitalize() for column in columns()))
    rows = [(f"`{script.name}`", *(" " if c == NONE else c for c in _cells(script, {}, ", "))) for script in found]
    legend = "; ".join(f"*{sign.capitalize()}*: {words}" for sign, words in LEGEND if sign.isalpha())
    lines = [f"| {' | '.join(row)} |" for row in (head, ("---",) * len(head), *rows)]
    return "\n".join([*lines, "", *textwrap.wrap(f"{legend}.", WIDTH)]) + "\n"


def document(found: "Iterable[lua.Script]") -> str:
    """Return the providers as JSON; within v1alpha1 fields may be added, and none changes or goes."""
    import json

    listed = [_provider(script) for script in found]
    whole = {"apiVersion": API_VERSION, "kind": KIND, "features": list(lua.FEATURES), "providers": listed}
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


def columns() -> "dict[str, list[str]]":
    """Return the features by their first word, each as what follows it ("" where nothing does)."""
    found: dict[str, list[str]] = {}
    for feature in lua.FEATURES:
        word, _, kind = feature.partition(".")
        found.setdefault(word, []).append(kind)
    return found


def _title(column: str) -> str:
    return TITLES.get(column, column)


def _cells(script: "lua.Script", signs: "dict[str, str]", comma: str) -> "list[str]":
    signs = WORDS | signs
    cells = [
        [signs.get(kind, kind) for kind in kinds if (f"{word}.{kind}" if kind else word) in script.supports]
        for word, kinds in columns().items()
    ]
    return [comma.join(cell) or NONE for cell in cells]


def _provider(script: "lua.Script") -> "dict[str, str | Sequence[str] | None]":
    group, kind, *variant = script.name.split("/")
    return {
        "group": "" if group == CORE else group,
        "kind": kind,
        "class": variant[0] if variant else None,
        "supports": [feature for feature in lua.FEATURES if feature in script.supports],
    }
