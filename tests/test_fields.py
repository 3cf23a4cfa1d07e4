"""Untyped fields, read once and complained about with their full path."""

from typing import Any

import pytest

from krmfn.errors import KrmfnError
from krmfn.fields import Fields, kind_of
from krmfn.krm.item import Ref
from krmfn.results import errors
from krmfn.shapes import check_manifest

REF = Ref("apps/v1", "Deployment", "", "web")


def test_readers_note_what_is_wrong_and_go_on() -> None:
    """One run tells all mistakes, each with its path, and a key with dots is in brackets."""
    place = Fields({"a": {"b": [{"c": 1}, 2]}, "n": 2.5, "o": "x", "p": True, "q.r": 1}, REF)
    assert ["", ""] == [entry.text("c") for entry in place.mapping("a").sequence("b")]
    assert [None, None, None] == [place.whole("n"), place.whole("o"), place.whole("p")]
    assert not place.text("q.r")
    assert not place.flag("o")
    assert [] == list(place.sequence("a"))
    with pytest.raises(KrmfnError) as caught:
        place.settle()
    assert [
        "a.b[0].c: must be a string, not a number (1); quote it",
        "n: must be a whole number, not a number (2.5)",
        "o: must be a whole number, not a string ('x')",
        "p: must be a whole number, not a boolean (True)",
        '["q.r"]: must be a string, not a number (1); quote it',
        "o: must be true or false, not a string ('x')",
        "a: must be a list, not a mapping",
    ] == [f"{result.field}: {result.message}" for result in errors(caught.value)]


def test_what_is_not_there_is_not_wrong() -> None:
    """Missing values are defaults unless they are required."""
    place = Fields({"empty": "", "null": None}, REF)
    assert ("x", "x", 0, False, {}) == (
        place.text("empty", "x"),
        place.text("null", "x"),
        len(list(place.sequence("no"))),
        place.flag("no"),
        place.labels("no"),
    )
    place.settle()
    assert (bool(place), bool(place.at("null")), place.has("null")) == (True, False, False)
    place.text("empty", required=True)
    place.mapping("no", required=True)
    assert ["empty", "no"] == [problem.field for problem in place.problems]


@pytest.mark.parametrize(
    ("value", "name"),
    [(None, "nothing"), ({}, "a mapping"), ([], "a list"), (True, "a boolean (True)"), (1.5, "a number (1.5)")],
)
def test_values_are_named_as_in_yaml(value: Any, name: str) -> None:
    """People write lists and mappings, not arrays and dicts."""
    assert name == kind_of(value)


WHOLE: dict[str, Any] = {"apiVersion": "apps/v1", "spec": {"selector": {}, "template": {"spec": {"containers": []}}}}
POD = "spec.template.spec"
SHAPES: dict[str, tuple[dict[str, Any], str]] = {
    "no template": ({"spec": {"selector": {}}}, "spec.template: is required"),
    "no spec": ({"spec": None}, "spec: is required"),
    "an apiVersion that is none": ({"apiVersion": 1}, "apiVersion: must be a string, not a number (1); quote it"),
    "a label that is a number": ({"metadata": {"labels": {"v": 1}}}, "metadata.labels.v: must be a string, not a num"),
    "values that are none": (
        {"spec": {"selector": {"matchExpressions": [{"values": [1]}]}, "template": {}}},
        "spec.selector.matchExpressions[0].values[0]: must be a string, not a number (1)",
    ),
    "a container that is none": (
        {"spec": {"selector": {}, "template": {"spec": {"containers": [None]}}}},
        f"{POD}.containers[0]: must be a mapping, not nothing",
    ),
}


@pytest.mark.parametrize(("fields", "said"), SHAPES.values(), ids=SHAPES)
def test_objects_have_the_shape_that_the_api_gives_them(fields: dict[str, Any], said: str) -> None:
    """Whatever is read of an object is what it should be, or is said with its path before anything is rendered."""
    with pytest.raises(KrmfnError) as caught:
        check_manifest(WHOLE | fields, REF)
    assert said in "\n".join(f"{result.field}: {result.message}" for result in errors(caught.value))


def test_what_krmfn_does_not_read_is_its_author_s_business() -> None:
    """Fields of no meaning to us, and kinds that we do not know, may hold anything."""
    check_manifest(WHOLE | {"status": [1], "metadata": {"annotations": {"a": 1}}}, REF)
    check_manifest({"apiVersion": "example.com/v1", "spec": {"selector": 1}}, REF.replace(api_version="example.com/v1"))
