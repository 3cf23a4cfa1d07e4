"""What a provider reads of a manifest, by which a mistake there is told by its field instead of by a line of Lua.

The member ``reads`` of a script has one line for each field: its path, and what it has to be. ``[]`` is every entry of
a list, ``*`` every member of a mapping, ``a|b`` either name; what leads there are lists and mappings. ``A,B`` is one of
these texts. A field may be missing, unless its word ends in ``!``; an entry of a list may not be null.

    spec.rules[].backendRefs[].name      text!
    spec.rules[].backendRefs[].weight    count
"""

from krmfn.fields import Fields, kind_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from krmfn.krm import Ref

Shape = dict[str, "Any"]

ALWAYS = """
    metadata.name|namespace         text
    metadata.labels|annotations.*   text
"""
WORDS = {
    "text": "a string",
    "scalar": "a string or a number",
    "number": "a number",
    "count": "a whole number, 0 or more",
    "part": "a number, 0 or more",
    "flag": "true or false",
    "map": "a mapping",
    "list": "a list",
}
MOST = 2**31 - 1  # the API server keeps such numbers in 32 bits
_SHAPES: dict[str, Shape] = {}


def check(reads: str, manifest: "Any", ref: "Ref | None" = None) -> None:
    """Hold a manifest to what a script reads of it. Raises KrmfnError with everything that is not as it has to be."""
    if reads not in _SHAPES:
        _SHAPES[reads] = _parsed(ALWAYS + reads)
    top = Fields(manifest, ref)
    _members(top, _SHAPES[reads])
    top.settle()


def _parsed(reads: str) -> Shape:
    shape: Shape = {}
    for line in reads.splitlines():
        if words := line.split():
            path, word = words
            _put(shape, path.replace("[]", ".[]").split("."), word)
    return shape


def _put(shape: Shape, path: list[str], word: str) -> None:
    first, *rest = path
    for name in first.split("|"):
        if rest:
            _put(shape.setdefault(name, {}), rest, word)
        else:
            shape[name] = word


def _members(place: Fields, shape: Shape) -> None:
    if place.value is None:
        return
    if not isinstance(place.value, dict):
        place.problem(f"must be a mapping, not {kind_of(place.value)}")
        return
    for key, inner in shape.items():
        for name in place.value if key == "*" else (key,):
            _value(place.at(name), inner)


def _value(place: Fields, inner: "Shape | str") -> None:
    if isinstance(inner, str):
        _leaf(place, inner)
    elif "[]" in inner:
        _entries(place, inner["[]"])
    else:
        _members(place, inner)


def _entries(place: Fields, inner: "Shape | str") -> None:
    for entry in place.entries():
        if entry.value is None:
            entry.problem("is empty; leave this entry out")
        else:
            _value(entry, inner)


def _leaf(place: Fields, word: str) -> None:
    kind = word.removesuffix("!")
    if place.value is None or (kind == "text" and place.value == ""):
        if kind != word:
            place.problem("is required")
    elif "," in kind:
        if place.value not in kind.split(","):
            place.problem(f"must be one of {kind.replace(',', ', ')}, not {kind_of(place.value)}")
    elif not _is(place.value, kind):
        quote = "; quote it" if kind == "text" and not isinstance(place.value, dict | list) else ""
        place.problem(f"must be {WORDS[kind]}, not {kind_of(place.value)}{quote}")


def _is(value: object, kind: str) -> bool:
    if kind in ("text", "flag", "map", "list"):
        return isinstance(value, {"text": str, "flag": bool, "map": dict, "list": list}[kind])
    if isinstance(value, str):
        return kind == "scalar"
    if isinstance(value, bool) or not isinstance(value, int | float) or not -MOST <= value <= MOST:
        return False
    return kind in ("number", "scalar") or (value >= 0 and (kind == "part" or value == int(value)))
