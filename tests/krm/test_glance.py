"""Reading back without nodes: either the value that the tree reads, or no answer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from krmfn.errors import NotYaml
from krmfn.krm import glance, same, tree
from tests.krm.styled import styled

PIECES = (
    "a: ",
    "b: ",
    "- ",
    "\n",
    "  ",
    "x",
    "[",
    "]",
    "{",
    "}",
    "'",
    '"',
    "&a ",
    "*a",
    "<<: ",
    "!!str ",
    "---\n",
    "# c\n",
    "|\n",
)
UNREAD = (
    "&a x",
    "a: *a",
    "!!str 1",
    "<<: {a: 1}",
    "1: x",
    "a: 1\na: 2",
    "a: .nan",
    "--- a\n--- b",
    "%YAML 1.1\n--- a",
    "a: [",
    "",
)


@given(styled())
def test_what_is_glanced_at_means_what_the_tree_reads(drawn):
    """A manifest, however it is laid out, has the same value without its nodes."""
    value, text = drawn
    found = glance.value(text)

    assert found is glance.UNSURE or same(value, found)


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_a_glance_never_sees_more_than_the_tree(text):
    """What the tree refuses has no value here either, and what has one has the same one there."""
    found = glance.value(text)
    try:
        root = tree.parse(text)
    except NotYaml:
        root = None

    assert found is glance.UNSURE or (root is not None and same(root.value, found))


@pytest.mark.parametrize("text", UNREAD)
def test_whatever_takes_more_than_a_glance_is_left_to_the_tree(text):
    """Anchors, tags, merge keys, odd keys, several documents and mistakes have no answer here."""
    assert glance.value(text) is glance.UNSURE


@pytest.mark.parametrize("depth", [150, 250, 3000])
def test_nothing_is_read_that_is_nested_too_deep_for_the_tree(depth):
    """What would be refused when it comes back is not believed when it goes out."""
    assert (glance.value("[" * depth + "x" + "]" * depth) is glance.UNSURE) is (depth > tree.DEEPEST)
