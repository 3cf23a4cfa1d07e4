"""Files are written back with every byte in place that nobody changed."""

import json

import pytest
from hypothesis import assume, given, settings

from krmfn import krm
from krmfn.errors import KrmfnError
from tests.krm.test_stream import streams

APP = """# license

---
# of A
kind: A
metadata: {name: a}
--- # second
kind: B # b
---
# nothing
---
{"kind": "C"}
...
# end
--- {kind: D}"""
NEW = krm.new({"kind": "N", "metadata": {"name": "x"}}, path="app.yaml")


def written(text, changes, name="app.yaml"):
    """Change one file, given a function from its items to the changes, and return all files as text."""
    package = krm.read_files([(name, text.encode())])
    found = krm.write_files(package, changes(package.items))
    return {path: data if data is None else data.decode() for path, data in found.items()}


@settings(max_examples=200)
@given(streams())
def test_files_stay_as_they_are(text):
    """For every stream that can be read, nothing changed is no byte changed."""
    try:
        package = krm.read_files([("a.yaml", text.encode())])
    except KrmfnError:
        return

    assert {"a.yaml": text.encode()} == krm.write_files(package, list(package.items))


@settings(max_examples=200)
@given(streams())
def test_a_document_goes_alone(text):
    """Whichever document is removed, the others mean what they meant."""
    try:
        package = krm.read_files([("a.yaml", text.encode())])
    except KrmfnError:
        return
    texts = [item.text for item in package.items]
    assume(len(texts) > 1)
    for mark in range(len(texts)):
        left = krm.write_files(package, {mark: ()})["a.yaml"]

        assert texts[:mark] + texts[mark + 1 :] == [item.text for item in krm.read_files([("", left)]).items]


def test_a_document_takes_its_separator_and_comments_with_it():
    """What is removed goes from its separator to the next one; comments between documents stay."""
    assert {"app.yaml": APP.replace("---\n# of A\nkind: A\nmetadata: {name: a}\n", "")} == written(
        APP, lambda _: {0: ()}
    )
    assert {"app.yaml": APP.replace('---\n{"kind": "C"}\n...\n# end\n', "")} == written(APP, lambda _: {2: ()})


def test_a_file_goes_with_its_last_document():
    """A file without documents is None, whatever comments it had; one that never had any stays."""
    package = krm.read_files([("app.yaml", APP.encode()), ("notes.yaml", b"# c\n"), ("empty.yaml", b"")])

    assert {"app.yaml": None, "notes.yaml": b"# c\n", "empty.yaml": b""} == krm.write_files(package, [])


def test_edits_stay_inside_their_document():
    """Separators, terminators and the comments around them are not touched by an edit."""

    def edits(items):
        return {1: (items[1].edited({"kind": "B", "b": 1}),), 2: (items[2].edited({"kind": "C", "c": 1}),)}

    expected = APP.replace("kind: B # b\n", "kind: B # b\nb: 1\n").replace('{"kind": "C"}', '{"kind": "C", "c": 1}')
    assert {"app.yaml": expected} == written(APP, edits)


def test_a_document_on_the_separators_line_gets_its_own():
    """A mapping in block style cannot stand behind a separator."""
    text = written("--- {kind: A}\n", lambda _: {0: (krm.new({"kind": "A", "a": {"b": 1}}, path="app.yaml"),)})

    assert {"app.yaml": "---\nkind: A\na:\n  b: 1\n"} == text


def test_new_documents_follow_those_of_their_file():
    """A new document is appended behind a separator, to a file that may lack its last line break, or makes a file."""
    other = krm.new({"kind": "N", "metadata": {"name": "y"}}, path="new/other.yaml")
    text = written(APP, lambda items: {0: (items[0], NEW, other)})

    assert APP.replace("--- {kind: D}", '---\n{kind: D}\n---\nkind: "N"\nmetadata:\n  name: x\n') == text["app.yaml"]
    assert 'kind: "N"\nmetadata:\n  name: "y"\n' == text["new/other.yaml"]


def test_a_new_document_without_a_path_gets_a_file_of_its_name():
    """A file is named as kpt would name it."""
    assert "n_x.yaml" in written("kind: A\n", lambda items: [*items, krm.new(NEW.value)])


def test_a_new_document_of_the_same_name_takes_the_old_ones_place():
    """What is written anew stays where it was in its file."""
    again = krm.new({"kind": "A", "metadata": {"name": "a"}, "x": 1}, path="app.yaml")

    assert (
        APP.replace("# of A\nkind: A\nmetadata: {name: a}\n", "kind: A\nmetadata:\n  name: a\nx: 1\n")
        == (written(APP, lambda _: {0: (again,)})["app.yaml"])
    )


def test_comments_alone_are_kept_in_front_of_what_is_new():
    """A file of comments gets its first document below them."""
    assert '# c\nkind: "N"\nmetadata:\n  name: x\n' == written("# c", lambda _: {0: (NEW,)})["app.yaml"]


def test_a_last_line_without_an_end_keeps_its_meaning():
    """A scalar that ends with the file does not get a line break because a document follows now."""
    text = written("a: |\n  x", lambda items: [*items, NEW])["app.yaml"]

    assert [{"a": "x"}, NEW.value] == [item.value for item in krm.read_files([("", text.encode())]).items]


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_line_breaks_stay_the_files(newline):
    """A file of CRLF lines has no other lines afterwards."""
    text = "a: 1\nb: 2\n---\nc: 3\n".replace("\n", newline)
    now = written(text, lambda items: {0: (items[0].edited({"a": 1, "b": {"d": 4}}), NEW)})["app.yaml"]

    assert 'a: 1\nb:\n  d: 4\n---\nc: 3\n---\nkind: "N"\nmetadata:\n  name: x\n'.replace("\n", newline) == now


def test_a_byte_order_mark_stays():
    """A byte order mark belongs to the file, not to its first document."""
    assert (
        "\ufeffa: 1\nb: 2\n"
        == written("\ufeffa: 1\n", lambda items: {0: (items[0].edited({"a": 1, "b": 2}),)})["app.yaml"]
    )


def test_json_stays_json():
    """A JSON file holds one document that is JSON, whatever is edited; what is new gets files of its own."""
    value = {"kind": "A", "b": [1, {"c d": "é"}], "multi": "a\nb", "none": None}
    again = krm.new({"kind": "N", "metadata": {"name": "y"}}, path="app.json")
    text = written(
        '{"kind": "A",\n "b": [1]}\n',
        lambda items: {0: (items[0].edited(value), krm.new(NEW.value, path="app.json"), again)},
        "app.json",
    )

    assert {"app.json": value, "app-n-x.json": NEW.value, "app-n-y.json": again.value} == {
        path: json.loads(data) for path, data in text.items()
    }


def test_files_that_are_no_manifests_pass_through():
    """kustomization.yaml, values.yaml and lists are items like any other, and are not touched."""
    files = {
        "kustomization.yaml": b"resources: [a.yaml]\n",
        "values.yaml": b"# replicas\nreplicas: 3\n",
        "list.yaml": b"apiVersion: v1\nkind: List\nitems:\n- kind: A\n",
    }
    package = krm.read_files(files.items())

    assert files == krm.write_files(package, {})
    assert ["", "", "List"] == [item.ref.kind for item in package.items]
