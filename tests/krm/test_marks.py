"""Cutting a ResourceList at the marks of a full parse is right for every text."""

import yaml
from hypothesis import event, given, settings
from hypothesis import strategies as st

from krmfn.errors import KrmfnError
from krmfn.krm.marks import cut_at_marks
from krmfn.krm.slices import Unsure, cut
from tests.krm.hostile import resource_lists
from tests.krm.test_slices import elements, told

HEAD = "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\n"


def texts(slices):
    """Return the texts as they stand."""
    return [bytes(slices.raw(number)).decode() for number in range(len(slices))]


@settings(max_examples=400)
@given(resource_lists(), st.sampled_from(["\n", "\r\n", "\r"]))
def test_every_text_is_cut_or_refused(text, newline):
    """For every text that libyaml reads, with any line breaks, each slice means what that element of the list means."""
    text = text.replace("\n", newline)
    try:
        tape = told(text)
    except yaml.YAMLError:
        event("not YAML")
        return
    try:
        slices = cut_at_marks(text.encode())
    except KrmfnError as refused:
        event(f"refused: {refused.message[:40]}")
        return
    event("in place" if slices.data == text.encode() else "laid out")

    assert elements(tape) == [told(slices.padded(n))[3:-3] for n in range(len(slices))]


@settings(max_examples=200)
@given(resource_lists())
def test_both_ways_cut_alike(text):
    """Where bytes are enough to cut a list, the marks of a parse cut it at the same places."""
    try:
        fast = cut(text.encode())
        slow = cut_at_marks(text.encode())
    except (Unsure, KrmfnError):
        return

    assert (fast.starts, fast.ends, fast.column) == (slow.starts, slow.ends, slow.column)
