"""A package is a lazy list of objects that can be searched without reading them."""

import pytest

from krmfn import krm
from krmfn.errors import NotYaml

HEAD = b"apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n"
THREE = HEAD + b"- kind: A\n- kind: B\n- kind: C\nfunctionConfig: {kind: D}\nresults:\n- message: m\n"


def marks(items):
    """Return the marks of some items."""
    return [item.mark for item in items]


def test_items_know_their_place():
    """Items are numbered as they stand, counted from either end, sliced, and looked up past the end in vain."""
    items = krm.read(THREE).items

    assert [3, [0, 1, 2], 2, [1, 2]] == [len(items), marks(items), items[-1].mark, marks(items[1:])]
    with pytest.raises(IndexError):
        items[3]


def test_an_item_is_made_once():
    """Whoever asks for an item gets the same one, so that what it has read is read once."""
    package = krm.read(THREE)

    assert package.items[1] is next(package.find("B"))
    assert package.items[1] is list(package.items)[1]


def test_what_stands_around_the_items_can_be_asked_for():
    """A ResourceList has a configuration and results; a stream has neither."""
    package, stream = krm.read(THREE), krm.read(b"kind: A\n")

    assert ["list", {"kind": "D"}, [{"message": "m"}]] == [package.wire, package.config, package.results]
    assert ["stream", None, []] == [stream.wire, stream.config, stream.results]


def test_a_search_goes_through_all_files():
    """Marks run on from file to file, and a search keeps their order."""
    package = krm.read_files([("a.yaml", b"kind: A\n---\nkind: B\n"), ("b.yaml", b""), ("c.yaml", b"kind: A\n")])

    assert [[0, 2], [1], []] == [marks(package.find(word)) for word in ("A", "B", "C")]
    assert [("a.yaml", 0), ("a.yaml", 1), ("c.yaml", 0)] == [(item.path, item.index) for item in package.items]


def test_a_search_without_words_finds_everything():
    """No word is in every text."""
    assert [0, 1, 2] == marks(krm.read(THREE).find())


def test_changes_are_what_differs():
    """However the items to write are given, what stands as it was is no change."""
    package = krm.read(THREE)
    a, b, c = package.items
    z = krm.new({"kind": "Z"})

    assert {} == package.changes(package.items) == package.changes([a, b, c]) == package.changes({1: (b,)})
    assert {1: ()} == package.changes([a, c])
    assert {0: (a, z)} == package.changes([a, z, b, c])
    assert {0: (z, a)} == package.changes([z, a, b, c])
    assert {0: (b, z, a), 1: (), 2: ()} == package.changes([b, z, a])


def test_a_hundred_thousand_items_are_no_effort():
    """Items that nobody asks for cost no objects: a large package is read, searched and passed on at once."""
    data = HEAD + b"".join(b"- kind: A\n  metadata: {name: n%d}\n" % n for n in range(100_000))
    package = krm.read(data)

    assert [99_999] == marks(package.find("n99999"))
    assert data == b"".join(krm.write(package, package.items))


def test_what_is_wrong_in_an_item_is_said_with_its_place_in_the_input():
    """Lines are counted from the beginning of the input or the file, wherever the item begins."""
    listed = krm.read(HEAD + b"- a: 1\n  b: 2\n- c:\n    d: 1\n    d: 2\n").items[1]
    filed = krm.read_files([("app.yaml", b"# top\n---\na: 1\n---\nd: 1\nd: 2\n")]).items[1]

    with pytest.raises(NotYaml, match=r"^line 8, column 5: "):
        _ = listed.value
    with pytest.raises(NotYaml, match=r"^line 6, column 1: ") as info:
        _ = filed.value
    assert info.value.file == "app.yaml"
