"""Trees: what everything means, where it stands, and what Kubernetes would not accept."""

import pytest
from hypothesis import given

from krmfn.errors import NotYaml
from krmfn.krm import same, tree
from tests.krm.styled import styled

BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 10)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)


def spans(text):
    """Return the text of every scalar and flow collection at the places that its node has."""
    found, nodes = {}, [tree.parse(text)]
    while nodes:
        node = nodes.pop()
        if not tree.is_block(node):
            found[text[node.start : node.end]] = node.value
        nodes += [part for pair in node.children for part in pair] if node.kind == tree.MAP else node.children
    return found


@given(styled())
def test_every_style_means_the_value(drawn):
    """However a manifest is laid out, it means what its author meant."""
    value, text = drawn

    assert same(value, tree.parse(text).value)


@pytest.mark.parametrize("start", ["", "\ufeff"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_marks_are_exact(start, newline):
    """Offsets are right with a byte order mark, in CRLF text, and with anchors and tags."""
    lines = [
        "a: &x 'é' # c",
        "b:",
        "  - {c: 1,",
        "     d: !!str 'e'}",
        "  - *x",
        "  - |+",
        "    x",
        "",
        "  - >-",
        "    z",
        "f:",
    ]
    text = start + newline.join([*lines, ""])
    plain = {
        "a": "a",
        "&x 'é'": "é",
        "b": "b",
        "c": "c",
        "1": 1,
        "d": "d",
        "!!str 'e'": "e",
        "*x": "é",
        "f": "f",
        "": None,
    }
    long = {
        f"{{c: 1,{newline}     d: !!str 'e'}}": {"c": 1, "d": "e"},
        f"|+{newline}    x{newline}": "x\n\n",
        f">-{newline}    z": "z",
    }

    assert plain | long == spans(text)


def test_properties_are_told_from_the_content():
    """A node's body begins behind its anchor and its tag, whatever stands between."""
    text = "a: !!map &x # c\n  b: !!str 1\n"
    [(_, node)] = tree.parse(text).children
    [(_, inner)] = node.children

    assert ["b: !!str 1\n", "1"] == [text[node.body :], text[inner.body : inner.end]]
    assert ("x", 2) == (node.anchor, node.column)


def test_merge_keys_merge_as_in_go():
    """Own keys win over merged ones, earlier merges over later ones, and a quoted `<<` is a key like any other."""
    anchors = "a: &a {x: 1, w: 1}\nb: &b {w: 2, z: 2}\n"
    value = tree.parse(anchors + "c:\n  <<: [*a, *b]\n  x: 0\n  '<<': no merge\nd:\n  !!merge <<: *a\n").value

    assert {"x": 0, "<<": "no merge", "w": 1, "z": 2} == value["c"]
    assert {"x": 1, "w": 1} == value["d"]


def test_an_empty_text_has_no_root():
    """Where there are only comments, there is no tree."""
    assert tree.parse("# nothing\n") is None


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ("a: 1\nb:\n  c: 1\n  c: 2\n", 4, 3, "'c' occurs twice"),
        ("a: 1\ny: 1\n'true': 2\n", 3, 1, "'true' occurs twice"),
        ("? [a]\n: b\n", 1, 3, "key has to be a string"),
        ("{{ a }}: b\n", 1, 1, "key has to be a string"),
        ("a: 1\n~: b\n", 2, 1, "not null"),
        ("a: &x {b: 1}\n*x : 1\n", 2, 1, "key has to be a string"),
        ("a: *x\n", 1, 4, r"\*x has no anchor"),
        ("a: &x [1, *x]\n", 1, 11, "contains it"),
        ("a: &x\n  <<: *x\n", 2, 7, "contains it"),
        ("<<: 1\n", 1, 5, "merge key"),
        ("%YAML 1.1\n---\na: 1\n", 1, 1, "directives"),
        ("%TAG ! tag:x,2000:\n---\na: 1\n", 1, 1, "directives"),
        ("a: 1\n---\nb: 1\n", 2, 1, "second document"),
        ("a:\n\tb: 1\n", 2, 1, "cannot start any token"),
        ("a: !!int x\n", 1, 4, "not a value of type int"),
        ("a: .nan\n", 1, 4, "JSON"),
        ("[" * 250 + "]" * 250, 1, 201, "more than 200 deep"),
        ("{a: " * 250 + "}" * 250, 1, 801, "more than 200 deep"),
        ("".join(" " * n + "a:\n" for n in range(250)), 201, 201, "more than 200 deep"),
        (BOMB, 6, 36, "aliases expanded"),
    ],
)
def test_what_kubernetes_would_not_accept_is_an_error(text, line, column, words):
    """What the API server refuses, or readers disagree about, is an error that says where and why."""
    with pytest.raises(NotYaml, match=words) as caught:
        tree.parse(text)

    assert (line, column) == (caught.value.line, caught.value.column)


HOSTILE = {
    "brackets": "[" * 200_000,
    "braces": "{" * 200_000,
    "dashes": "- " * 100_000,
    "aliases": "a: &a [b]\nc: [" + "*a," * 100_000,
    "list": "[" + "1," * 100_000,
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_texts_end(kind):
    """Depth and size end in an error, in time that grows as they do."""
    with pytest.raises(NotYaml):
        tree.parse(HOSTILE[kind], largest=10_000)


def test_as_much_as_a_cluster_takes_is_read():
    """An alias that is used a thousand times is no bomb."""
    text = "a: &a [1, 2, 3]\nb: [" + ", ".join(["*a"] * 1000) + "]\n"

    assert [[1, 2, 3]] * 1000 == tree.parse(text).value["b"]
