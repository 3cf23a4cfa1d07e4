"""Edits change what has to change, and nothing else."""

import copy
import difflib
import sys

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from krmfn.errors import KrmfnError, NotYaml
from krmfn.krm import Item, edit, load, retext, same
from krmfn.krm.alike import pairs
from krmfn.krm.source import Source
from tests.krm.styled import at, changed, paths, styled, values

GONE = object()


def having(value, changes):
    """Return a copy of a value with some paths set, or gone."""
    new = copy.deepcopy(value)
    for path, change in changes.items():
        if change is GONE:
            del at(new, path[:-1])[path[-1]]
        elif isinstance(path[-1], int) and path[-1] == len(at(new, path[:-1])):
            at(new, path[:-1]).append(change)
        else:
            at(new, path[:-1])[path[-1]] = change
    return new


EDITS = {
    "scalars keep quotes, spacing and comments": (
        "a:   1  # one\nb: 'x' # ex\nc: \"y\"\nd: z\n",
        {("a",): 2, ("b",): "it's", ("c",): "no", ("d",): "no"},
        "a:   2  # one\nb: 'it''s' # ex\nc: \"no\"\nd: \"no\"\n",
    ),
    "a number does not keep quotes": ("a: '1' # x\n", {("a",): 2}, "a: 2 # x\n"),
    "scalars of several lines become one": (
        'a: "x\n  y" # c\nb: x\n  y\nc: 1\n',
        {("a",): "z", ("b",): "w"},
        'a: "z" # c\nb: w\nc: 1\n',
    ),
    "an entry goes with the comments directly above it": (
        "a: 1\n\n# far\n\n# near\nb: 1 # eol\n  # deeper\n# next\nc: 1\n",
        {("b",): GONE},
        "a: 1\n\n# far\n\n# next\nc: 1\n",
    ),
    "a new entry is last, below the comments of the one before": (
        "a:\n  b: 1 # b\n    # of b\nc: 1\n",
        {("a", "x"): {"z": [1]}},
        "a:\n  b: 1 # b\n    # of b\n  x:\n    z:\n    - 1\nc: 1\n",
    ),
    "new nodes are indented as their neighbours are": (
        "a:\n    b:\n        - x\nc: 1\n",
        {("a", "d"): {"e": ["f"]}},
        "a:\n    b:\n        - x\n    d:\n        e:\n            - f\nc: 1\n",
    ),
    "an item goes with its comments": (
        "a:\n# one\n- 1 # eol\n# two\n- 2\n  # of two\n# three\n- 3\n",
        {("a",): [1, 3]},
        "a:\n# one\n- 1 # eol\n# three\n- 3\n",
    ),
    "items are paired by their names": (
        "l:\n  - name: a # A\n    v: 1\n  - name: b # B\n    v: 2\n",
        {("l",): [{"name": "b", "v": 3}, {"name": "c"}]},
        "l:\n  - name: b # B\n    v: 3\n  - name: c\n",
    ),
    "an item before others leaves them alone": (
        "l:\n- a: 1 # one\n  b: x\n- a: 2 # two\n",
        {("l",): [{"a": 0}, {"a": 1, "b": "x"}, {"a": 2}]},
        "l:\n- a: 0\n- a: 1 # one\n  b: x\n- a: 2 # two\n",
    ),
    "the first key on a dash's line": (
        "l:\n-   a: 1 # one\n    # about b\n    b: 2\n",
        {("l", 0, "a"): GONE},
        "l:\n-   # about b\n    b: 2\n",
    ),
    "lists in lists": ("l:\n- - 1\n  - 2\n- - 3\n", {("l",): [[2], [3, 4]]}, "l:\n- - 2\n- - 3\n  - 4\n"),
    "flow collections are edited in their brackets": (
        "a: {x: 1,   v: [p, q ], z: '3'} # c\n",
        {("a", "x"): GONE, ("a", "v", 2): "no", ("a", "z"): "4", ("a", "w"): "a,b"},
        'a: {v: [p, q, "no" ], z: \'4\',   w: "a,b"} # c\n',
    ),
    "brackets hold keys without values": (
        "a: {b, c: , d: 1}\n",
        {("a", "b"): [1], ("a", "c"): "x"},
        "a: {b: [1], c: x, d: 1}\n",
    ),
    "JSON stays JSON": (
        '{\n  "a": 1,\n  "b": {\n    "c": "x"\n  }\n}\n',
        {("b", "d"): "é\x01", ("e",): [1, "f"], ("a",): GONE},
        '{\n  "b": {\n    "c": "x", "d": "é\\u0001"\n  },\n  "e": [1, "f"]\n}\n',
    ),
    "what was empty becomes a block, and its comment stays": (
        "a: {} # none\nb:  # null\nc: []\nd: 1 # one\n",
        {("a",): {"x": 1}, ("b",): [1], ("c",): [{"y z": 1}], ("d",): {"q": {}}},
        "a: # none\n  x: 1\nb:  # null\n- 1\nc:\n- y z: 1\nd: # one\n  q: {}\n",
    ),
    "a block becomes empty, and the comment of its key stays": (
        "a: # list\n- 1\n- 2\n# after\nb:\n  c: 1 # see\n",
        {("a",): [], ("b", "c"): GONE},
        "a: [] # list\n# after\nb: {}\n",
    ),
    "literal blocks stay literal, in their column, with their comment": (
        "a: |  # note\n    x\n\n    y\nb: |-\n   z\nc: 1\n",
        {("a",): "x\n\nw\n", ("b",): "q"},
        "a: |  # note\n    x\n\n    w\nb: |-\n   q\nc: 1\n",
    ),
    "folded blocks become literal": ("a: >-\n  x\n  y\nb: 1\n", {("a",): "x\nz\n"}, "a: |\n  x\n  z\nb: 1\n"),
    "blocks that keep their line breaks": ("a: |+\n  x\n\nb: 1\n", {("b",): 2, ("a",): "w"}, "a: |-\n  w\nb: 2\n"),
    "a line that a literal block cannot hold": ("a: |\n  x\nb: 1\n", {("a",): "x \ny"}, 'a: "x \\ny"\nb: 1\n'),
    "lines come as a literal block": ("a: x # c\n", {("a",): "x\ny\n"}, "a: | # c\n  x\n  y\n"),
    "lines stay in quotes that were there": ('a: "x" # c\n', {("a",): "x\ny\n"}, 'a: "x\\ny\\n" # c\n'),
    "a missing last line break stays missing": ("a: 1\nb: 2", {("b",): GONE, ("c",): 3}, "a: 1\nc: 3"),
    "a last line break comes where a literal block needs one": ("a: 1", {("b",): "x\ny\n"}, "a: 1\nb: |\n  x\n  y\n"),
    "a byte order mark stays": ("\ufeffa: 1\nb: 2\n", {("a",): GONE, ("c",): 3}, "\ufeffb: 2\nc: 3\n"),
    "CRLF is used in new lines": (
        "a: 1\r\nb:\r\n  c: |\r\n    x\r\n",
        {("b", "d"): ["e"], ("b", "c"): "y\nz\n"},
        "a: 1\r\nb:\r\n  c: |\r\n    y\r\n    z\r\n  d:\r\n  - e\r\n",
    ),
    "tabs behind colons": ("a:\t1\t# one\nb: 1\n", {("a",): 2, ("b",): {"c": 1}}, "a:\t2\t# one\nb:\n  c: 1\n"),
    "a list that is replaced keeps its anchor and its column": (
        "a:\n  b: &x # why\n  - 1\nc: 1\n",
        {("a", "b"): [2, 3]},
        "a:\n  b: &x # why\n  - 2\n  - 3\nc: 1\n",
    ),
    "a tag gives way to another value": (
        "a: !!str 1 # x\nb: !foo {c: 1}\n",
        {("a",): "2", ("b", "c"): 2},
        'a: "2" # x\nb: !foo {c: 2}\n',
    ),
    "an alias gives way, its anchor stays": (
        "a: &x\n  k: 1 # one\nb: *x # bee\n",
        {("b",): {"k": 2}},
        "a: &x\n  k: 1 # one\nb: {k: 2} # bee\n",
    ),
    "a key that was merged in is overridden": (
        "a: &x {k: 1, l: 2}\nb: # c\n  <<: *x\n  m: 1 # em\n",
        {("b", "k"): 5},
        "a: &x {k: 1, l: 2}\nb: # c\n  <<: *x\n  m: 1 # em\n  k: 5\n",
    ),
    "values in places where they look like something else": (
        "a: on\nb: 0o7\nc: 2001-01-01\nd: 1e3\ne: x\n",
        {("e",): "1e3"},
        'a: on\nb: 0o7\nc: 2001-01-01\nd: 1e3\ne: "1e3"\n',
    ),
    "the end of a document": ("---\na: 1\n...\n", {("b",): 2}, "---\na: 1\nb: 2\n...\n"),
}


@pytest.mark.parametrize("promise", EDITS)
def test_edits(promise):
    """An edit by hand would have looked the same."""
    before, changes, after = EDITS[promise]

    assert after == retext(before, having(load(before), changes))


SHARED = {
    "an alias keeps what its anchor has lost": (
        "a: &x\n  k: 1 # one\nb: *x # bee\nc:\n  <<: *x\n",
        {"a": {"k": 2}, "b": {"k": 1}, "c": {"k": 1}},
        "a: &x\n  k: 2 # one\nb: {k: 1} # bee\nc:\n  <<: {k: 1}\n",
    ),
    "an alias stays where both change alike": (
        "a: &x web:1 # one\nb:\n- *x # bee\nc: &y\n  k: *x\nd: *y # dee\n",
        {"a": "web:2", "b": ["web:2"], "c": {"k": "web:2"}, "d": {"k": "web:1"}},
        'a: &x web:2 # one\nb:\n- *x # bee\nc: &y\n  k: *x\nd: {k: "web:1"} # dee\n',
    ),
}


@pytest.mark.parametrize("promise", SHARED)
def test_aliases_follow_or_are_written_out(promise):
    """What shared a value before shares it as far as it is still the same."""
    before, new, after = SHARED[promise]

    assert after == retext(before, new)
    assert same(new, load(after))


FALLBACKS = {
    "an anchor that is needed elsewhere": (
        "# head\na: &x {k: 1}\nb: *x\nc: 1 # see\n",
        {"b": {"k": 1}, "c": "no"},
        '# head\nb: {k: 1}\nc: "no" # see\n',
    ),
    "lines that end with CR only": (
        "a: 'x'\rb:\r  d: 1\r",
        {"a": "x", "b": {"d": 1, "e": ["no", "x"]}},
        "a: 'x'\nb:\n  d: 1\n  e:\n  - \"no\"\n  - x",
    ),
}


@pytest.mark.parametrize("promise", FALLBACKS)
def test_what_cannot_be_edited_in_place_is_rewritten(promise):
    """Where anchors or odd lines stand in the way, the meaning is right and comments are kept as far as they can be."""
    before, new, after = FALLBACKS[promise]

    assert after == retext(before, new)
    assert same(new, load(after))


def test_without_ruamel_the_object_is_written_anew(monkeypatch):
    """Where ruamel.yaml is not installed, comments are lost, but nothing else is."""
    monkeypatch.setitem(sys.modules, "ruamel.yaml", None)

    assert "b:\n  k: 1\n" == retext("a: &x\n  k: 1 # one\nb: *x\n", {"b": {"k": 1}})


@pytest.mark.parametrize("value", [{"a": float("nan")}, {"a": "\ud800"}, {"a": [[[]]], "b": float("inf")}])
def test_what_yaml_cannot_hold_is_refused(value):
    """A value that no YAML text can mean is an error that says so."""
    with pytest.raises(KrmfnError, match="cannot be written as YAML"):
        retext("a: 1\n", value)


def test_a_text_that_is_no_yaml_is_not_edited():
    """A broken text stays whole: the error has its place."""
    with pytest.raises(NotYaml, match="line 2"):
        retext("a: 1\na: 2\n", {"a": 1})


@st.composite
def items(draw):
    """Draw an item of a list or a stream, with LF or CRLF, with or without a last line break."""
    text = draw(styled())[1]
    listed = draw(st.sampled_from((None, None, 0, 2)))
    raw = Item(text.encode()).at(listed)
    raw = raw.replace("\n", "\r\n") if draw(st.booleans()) else raw
    return Item((raw if draw(st.booleans()) else raw.rstrip("\r\n")).encode(), listed=listed)


@given(items(), st.data())
def test_the_result_means_what_was_intended(item, data):
    """Whatever the layout and whatever changes inside, the new text means the new value, without any fallback."""
    new = data.draw(changed(item.value))
    assume(not item.value.keys().isdisjoint(new))
    source = Source(item.text, item.listed)

    text = edit.edited(source, new)

    assert any(same(new, Source(source.outer(text, ended=ended), item.listed).value) for ended in (False, True))
    assert same(new, Item(item.edited(new).raw, listed=item.listed).value)


@given(items(), st.data())
def test_other_lines_stay(item, data):
    """Where one scalar changes, no line outside it does."""
    leaves = [path for path in paths(item.value) if not isinstance(at(item.value, path), (dict, list))]
    assume(leaves)
    path = data.draw(st.sampled_from(leaves))
    old, lines = at(item.value, path), item.text.split("\n")
    new = item.edited(having(item.value, {path: "fresh"})).text.split("\n")

    span = 2 + (old.count("\n") if isinstance(old, str) else 0)
    assert sum(line.startswith("- ") for line in difflib.ndiff(lines, new)) <= span


@given(items(), st.data())
def test_there_and_back_again(item, data):
    """What comes and goes leaves the bytes as they were."""
    new = copy.deepcopy(item.value)
    nests = [path for path in [(), *paths(new)] if isinstance(at(new, path), (dict, list)) and at(new, path)]
    nest = at(new, data.draw(st.sampled_from(nests)))
    place, value = data.draw(st.integers(0, len(nest))), data.draw(values)
    if isinstance(nest, list):
        nest.insert(place, {"name": "fresh", "value": value})
    else:
        entries = [*nest.items()]
        nest.clear()
        nest.update([*entries[:place], ("fresh", value), *entries[place:]])

    assert item.raw == item.edited(new).edited(item.value).raw


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("abc", "abc", [(0, 0), (1, 1), (2, 2)]),
        ("abc", "ac", [(0, 0), (1, None), (2, 1)]),
        ("ac", "abc", [(0, 0), (None, 1), (1, 2)]),
        ("", "a", [(None, 0)]),
        ("a", "", [(0, None)]),
        ("a" * 60, "b" * 61, [*((n, n) for n in range(60)), (None, 60)]),
    ],
)
def test_items_are_paired(old, new, expected):
    """Items stay with those they are like; very long lists that have nothing in common are paired by position."""
    assert expected == pairs(list(old), list(new))


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (1, 1.0, True),
        (1, True, False),
        (0, False, False),
        ("1", 1, False),
        (None, False, False),
        ([1], [1, 2], False),
        ({}, [], False),
    ],
)
def test_values_are_told_apart(a, b, expected):
    """A boolean is no number and a number no string, but 1 is 1.0."""
    assert expected == same(a, b) == same({"x": [a]}, {"x": [b]})
