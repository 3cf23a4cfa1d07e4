"""Cutting a ResourceList by bytes is right, or says that it is not sure."""

import pytest
import yaml
from hypothesis import event, given, settings

from krmfn.errors import KrmfnError, NotYaml
from krmfn.krm.frame import Frame
from krmfn.krm.slices import Unsure, cut, prove
from tests.krm.hostile import resource_lists

HEAD = b"apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n"


def told(text):
    """Return what libyaml tells of a text, without places."""
    names = ("anchor", "tag", "value", "style", "flow_style")
    return [(type(e).__name__, *(getattr(e, name, None) for name in names)) for e in yaml.parse(text, yaml.CSafeLoader)]


def elements(tape):
    """Return what is told of each element of the top-level list `items`."""
    start = next(n for n, e in enumerate(tape) if e[0] == "ScalarEvent" and e[3] == "items" and depth(tape[:n]) == 1)
    found, at = [], start + 2
    while tape[at][0] != "SequenceEndEvent":
        end = at + 1
        while depth(tape[at:end]):
            end += 1
        found.append(tape[at:end])
        at = end
    return found


def depth(tape):
    """Count the collections that are open after some events."""
    names = [e[0] for e in tape if e[0].startswith(("Mapping", "Sequence"))]
    return sum(1 if name.endswith("StartEvent") else -1 for name in names)


@settings(max_examples=400)
@given(resource_lists())
def test_slices_are_the_elements(text):
    """For every text that libyaml reads, each slice means what that element of the list means."""
    try:
        tape = told(text)
        slices = cut(text.encode())
        Frame(slices).check()
    except yaml.YAMLError:
        event("not YAML")
        return
    except (Unsure, KrmfnError) as unsure:
        event(f"unsure: {unsure}")
        return
    event("cut")

    assert elements(tape) == [told(slices.padded(n))[3:-3] for n in range(len(slices))]
    assert (
        slices.data[: slices.begin]
        + b"".join(b" " * slices.column + slices.raw(n) for n in range(len(slices)))
        + slices.data[slices.end :]
        == text.encode()
    )


def test_slices_begin_with_their_dash():
    """A slice is what stands from its dash to the next one's line, and can be parsed with its margin."""
    slices = cut(
        HEAD + b"  # first\n  - a: 1\n\n    # inside\n    b: |\n      - no\n  # btw\n  - c\nfunctionConfig: {}\n"
    )

    assert [b"- a: 1\n\n    # inside\n    b: |\n      - no\n  # btw\n", b"- c\n"] == [slices.raw(0), slices.raw(1)]
    assert [2, b"  - c\n", b"functionConfig: {}\n"] == [slices.column, slices.padded(1), slices.data[slices.end :]]


@pytest.mark.parametrize(
    "text",
    [
        b"items: []\n",
        b"items: [a]\n",
        b"items: &x\n- a\n",
        b"'items':\n- a\n",
        b"items:\r\n- a\r\n",
        b"items:\n-\ta\n",
        b"items:\n-\n  a: 1\n",
        b"items:\n- a\n-",
        b"items:\n  - a\n - b\n",
        b"items:\n- a\n---\nb\n",
        b'items:\n- "a\n- b"\n',
        b"items:\n- [a,\n- b]\n",
        b"items:\n- a: b\n c: d\n",
        "items:\n- a\u2028- b\n".encode(),
        "items:\n- 'a\x85- b'\n".encode(),
        b"kind: X\n",
    ],
)
def test_what_bytes_cannot_prove_is_unsure(text):
    """Every other layout, and everything that is not YAML, is left to the parser."""
    with pytest.raises(Unsure):
        cut(text)


def test_a_word_is_found_in_its_slices_only():
    """A search tells the slices that hold all words, not those that share them, in order."""
    slices = cut(HEAD + b"- kind: A\n  name: web\n- kind: B\n  name: web-canary\n- kind: A\nfunctionConfig: web A\n")

    assert [[0, 1], [0], [0, 2], [], [0, 1, 2]] == [
        slices.find(words) for words in (["web"], ["web", "A"], ["A"], ["C"], [])
    ]


@pytest.mark.parametrize("spelled", [r'"\x57eb"', r'"w\u0065b"', r'"w\U00000065b"', '"w\\\n    eb"', "!!binary d2Vi"])
def test_a_word_is_found_however_it_is_spelled(spelled):
    """Escapes, continued lines and base64 hide a word from a search through bytes, but not from us."""
    slices = cut(HEAD + f'- kind: "A"\n- name: {spelled}\n- kind: B\n'.encode())

    assert [1] == slices.find(["web"])


def test_backslashes_elsewhere_do_not_widen_a_search():
    """Shell scripts in block scalars, regular expressions and quoted newlines spell no names."""
    script = b'- run: |\n    echo "a" \\\n      "b" \'c\' \\\n- "re\\\\x41"\n- "a\\nb \\" c"\n- \'"w\\x65b\'\n'

    assert [] == cut(HEAD + script).find(["web"])


def test_deep_brackets_are_refused_quickly():
    """Brackets take libyaml time by the square of their depth, so a parse with a limit takes over."""
    with pytest.raises(NotYaml, match="line 7, column 201: nests deeper than 200 levels"):
        prove(b"[" * 100_000, line=7)


def test_many_shallow_brackets_are_fine():
    """Only depth is refused."""
    prove(b"- {a: [1, 2], b: {}}\n" * 2000)


def test_giants_are_refused():
    """What is larger than any object is not parsed at all, and the message says where it begins."""
    with pytest.raises(KrmfnError, match="an object of 9 MB begins in line 5; krmfn reads up to 8, the cluster 3"):
        cut(HEAD + b"- a\n- x: " + b"y" * (9 << 20) + b"\n")
