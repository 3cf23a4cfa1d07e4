"""What changed between two values, and the same changes made to a third."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from krmfn.changes import GONE, Change, apply, at, diff, overlap, steps
from krmfn.krm import same

SCALARS = st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from(("", "a", "1"))
NAMED = st.lists(
    st.fixed_dictionaries({"name": st.sampled_from("abcd"), "value": SCALARS}), unique_by=lambda e: e["name"]
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: (
        st.dictionaries(st.sampled_from(("env", "args", "a", "b")), inner | NAMED) | st.lists(inner, max_size=3)
    ),
    max_leaves=8,
)


@given(VALUES, VALUES)
def test_what_changed_made_again_is_what_it_became(old: Any, new: Any) -> None:
    """The changes from one value to another, made to the first, give the second, for any two values."""
    changed = apply(list(diff(old, new)), old)
    assert same(new, changed), (old, new, changed)


@given(VALUES)
def test_nothing_changed_between_a_value_and_itself(value: Any) -> None:
    """There is no change where there is no difference, and making none gives the same value."""
    assert [] == list(diff(value, value))
    assert value is apply([], value)


def env(*names: str, **values: str) -> dict[str, Any]:
    """Return a container whose variables are called so."""
    return {"containers": [{"name": "web", "env": [{"name": name, "value": values.get(name, "")} for name in names]}]}


CASES = {
    "a value": (env("A", "B"), env("A", "B", B="2"), env("A", "B", A="1"), env("A", "B", A="1", B="2")),
    "a new one in the middle": (env("A", "C"), env("A", "B", "C"), env("A", "C", "D"), env("A", "B", "C", "D")),
    "a new one in front": (env("B"), env("A", "B"), env("B", "C"), env("A", "B", "C")),
    "one whose neighbour has gone": (env("A"), env("A", "B"), env("C"), env("C", "B")),
    "one gone": (env("A", "B"), env("B"), env("A", "B", "C"), env("B", "C")),
    "another order": (env("A", "B"), env("B", "A"), env("A", "B", A="1"), env("B", "A")),
}


@pytest.mark.parametrize(("old", "new", "other", "both"), CASES.values(), ids=CASES)
def test_entries_of_merged_lists_are_found_by_name(old: Any, new: Any, other: Any, both: Any) -> None:
    """Two people may change two variables of one container; an order is one value, since variables refer to others."""
    assert both == apply(list(diff(old, new)), other)


@pytest.mark.parametrize("broken", [["A"], [{"value": 1}, {"name": "A"}], [{"name": "A"}, {"name": "A"}]])
def test_a_list_without_names_is_one_value(broken: list[Any]) -> None:
    """Entries that have no name, or share one, cannot be told apart, so the list changes as a whole."""
    assert [Change(("env",), broken)] == list(diff({"env": [{"name": "A"}]}, {"env": broken}))


def test_the_only_entry_of_a_list_needs_no_name() -> None:
    """Some workloads have one container, which may go without: two people may change two fields of it."""
    old, new = ({"containers": [{"image": image, "env": [{"name": "A"}]}]} for image in ("web:1", "web:2"))
    [change] = diff(old, new)
    assert change.field == "containers[].image"
    assert apply([change], {"containers": [{"image": "web:1", "args": []}]}) == {
        "containers": [{"image": "web:2", "args": []}]
    }


def test_a_change_says_where_it_is() -> None:
    """The path is written as people do, and leads to the value, by name and by number."""
    value = env("A", "B", B="2")
    [change] = diff(env("A", "B"), value)
    assert change.field == "containers[web].env[B].value"
    assert at(value, change.path) == "2"
    assert steps(value, change.path) == ("containers", 0, "env", 1, "value")
    assert at(value, ("containers", ("db",), "image")) is GONE
    assert "(absent)" == repr(GONE)


def test_what_is_inside_overlaps() -> None:
    """A field touches itself, what is inside it and what it is in, and nothing beside it."""
    outer, inner, beside = (Change(path, 1) for path in (("a",), ("a", "b"), ("c", "b")))
    assert overlap(outer, inner)
    assert overlap(inner, outer)
    assert not overlap(inner, beside)
