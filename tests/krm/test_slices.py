"""Cutting a ResourceList by bytes is right, or says that it is not sure."""

import pytest
import yaml
from hypothesis import event, given, settings

from krmfn.errors import NotYaml
from krmfn.krm.slices import Slices, Unsure, cut, prove
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
    except yaml.YAMLError:
        return event("not YAML")
    except Unsure as unsure:
        return event(f"unsure: {unsure}")
    event("cut")

    assert [element for element in elements(tape)] == [told(slices.padded(n))[3:-3] for n in range(len(slices))]
    assert slices.data[: slices.begin] + b"".join(
        b" " * slices.column + slices.raw(n) for n in range(len(slices))
    ) + slices.data[slices.end :] == text.encode()
