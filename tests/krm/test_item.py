"""Items: one object as its author wrote it, named, read, moved and changed."""

import copy
import gc
import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from krmfn.errors import KrmfnError, NotYaml
from krmfn.krm import Item, Ref, dump, load, new, same
from krmfn.krm.item import retext
from tests.krm.styled import at, leaves, manifests, paths, styled, words

LISTED = b"""\
- # Deployment of web
  apiVersion: apps/v1
  kind: Deployment
  metadata:
    name: web # the name
    namespace: shop
    annotations:
      internal.config.kubernetes.io/path: 'apps/web.yaml'
      internal.config.kubernetes.io/index: '2'
      config.kubernetes.io/path: 'old.yaml'
      config.kubernetes.io/index: '7'
  spec:
    selector: # immutable
      # pods
      matchLabels: {app: web}
      # of this workload
    # what runs
    template: # the pods
      # from the platform team
#     nodeSelector: {disk: ssd}
      metadata:
        labels:
          app: web

      spec:
        containers:
        - name: main
          image: "web:1" # pinned
          command:
          - |
            set -eu
   \x20
            run
        # and no sidecar
      # yet

    # how it is rolled
    strategy: {type: Recreate}
"""
TEMPLATE = """\
      # from the platform team
#     nodeSelector: {disk: ssd}
      metadata:
        labels:
          app: web

      spec:
        containers:
        - name: main
          image: "web:1" # pinned
          command:
          - |
            set -eu
   \x20
            run
        # and no sidecar
      # yet
"""
POD = ("spec", "template")


@pytest.fixture(name="item")
def _item():
    return Item(LISTED, listed=0, mark=4)


def test_an_item_knows_what_it_is(item):
    """Name, place and position are read from the head of the text."""
    assert Ref("apps/v1", "Deployment", "shop", "web") == item.ref
    assert ("apps", "Deployment", "shop", "web") == item.ref.key
    assert ("apps/web.yaml", 2, 4) == (item.path, item.index, item.mark)
    assert "<Item Deployment shop/web apps/web.yaml[2]>" == repr(item)


def test_an_item_is_what_was_given(item):
    """Text and bytes are the input, to the byte."""
    assert LISTED.decode() == item.text
    assert item.raw is LISTED


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (
            "{metadata: {annotations: {config.kubernetes.io/path: a.yaml, config.kubernetes.io/index: '3'}}}",
            ("a.yaml", 3),
        ),
        ("{metadata: {annotations: {internal.config.kubernetes.io/path: a.yaml}}}", ("a.yaml", 0)),
        (
            "{metadata: {annotations: {config.kubernetes.io/path: a.yaml, config.kubernetes.io/index: '-1'}}}",
            ("a.yaml", 0),
        ),
        ("a: &x {annotations: {config.kubernetes.io/path: a.yaml}}\nmetadata: *x", ("a.yaml", 0)),
        ("a: {config.kubernetes.io/path: a.yaml}\nspec: {config.kubernetes.io/path: b.yaml}", ("", 0)),
    ],
)
def test_the_place_comes_from_annotations(text, place):
    """File and index are kpt's annotations, wherever YAML lets them stand."""
    item = Item(text.encode())

    assert place == (item.path, item.index)


def test_the_place_that_is_given_wins(item):
    """What the reader of a file knows is not asked of the annotations."""
    given = Item(item.raw, listed=0, path="x.yaml", index=0)

    assert ("x.yaml", 0) == (given.path, given.index)


@pytest.mark.parametrize(
    ("text", "ref"),
    [
        ("resources: [a.yaml]\n", ("", "", "", "")),
        ("kind: Kustomization\nmetadata: null\n", ("", "Kustomization", "", "")),
        ("apiVersion: v1\nkind: List\nitems:\n- kind: X\n  metadata: {name: x}\n", ("v1", "List", "", "")),
        (
            "spec: {kind: Z, metadata: {name: q}}\nmetadata:\n  name: w\n  labels: {name: q}\nkind: A\n",
            ("", "A", "", "w"),
        ),
        (
            '"\\x6bind": !!str A\n"metadata": {"name": |-\n  w\n , "namespace": ~}\n'.replace("|-\n  w\n ", '"w"'),
            ("", "A", "", "w"),
        ),
        ("m: &m {name: w}\nkind: A\nmetadata: {<<: *m, namespace: z}\n", ("", "A", "z", "w")),
        ("k: &k A\nkind: *k\n", ("", "A", "", "")),
        ("- kind: A\n", ("", "", "", "")),
        ("just words\n", ("", "", "", "")),
        ("", ("", "", "", "")),
        ("kind: [A\n", ("", "", "", "")),
        ("kind: *nobody\n", ("", "", "", "")),
        (b"kind: \xff\n", ("", "", "", "")),
    ],
)
def test_a_name_is_read_from_anything(text, ref):
    """Whatever an item is, asking for its name never fails, and what is not there is empty."""
    assert Ref(*ref) == Item(text if isinstance(text, bytes) else text.encode()).ref


@given(styled())
def test_the_head_agrees_with_the_value(drawn):
    """Reading only the head gives the names that reading everything gives."""
    value, text = drawn
    named = {**value, "kind": "A", "metadata": {"labels": value, "name": "w", "annotations": value}}
    read = Item(dump(named).encode())
    read.value  # noqa: B018 - from now on the head is taken from the value

    assert Item(dump(named).encode()).ref == read.ref == Ref(str(value.get("apiVersion", "")), "A", "", "w")
    assert Item(text.encode()).ref.kind == Item(text.encode()).ref.kind == ""


@pytest.mark.parametrize(
    ("raw", "listed", "line"),
    [(b"a: 1\nb: \xff\n", None, 2), (b"a: 1\na: 2\n", None, 2), (b"- a: 1\n- b: 2\n", 0, 1), (b"# nothing\n", None, 0)],
)
def test_what_is_no_object_is_an_error(raw, listed, line):
    """Asking for the value of what cannot be read is an error with a line."""
    with pytest.raises(NotYaml) as caught:
        Item(raw, listed=listed).value  # noqa: B018 - the value is not wanted

    assert line == caught.value.line


def test_a_change_shows_only_where_it_is(item):
    """An edited item keeps its place in the list and every line that did not have to change."""
    value = copy.deepcopy(item.value)
    value["spec"]["template"]["spec"]["containers"][0]["image"] = "web:2"
    edited = item.edited(value)

    assert LISTED.replace(b'"web:1"', b'"web:2"') == edited.raw
    assert (0, 4, "apps/web.yaml", 2, value) == (edited.listed, edited.mark, edited.path, edited.index, edited.value)


def test_nothing_to_change_is_the_same_item(item):
    """An item edited to what it already means is the item itself."""
    assert item is item.edited(copy.deepcopy(item.value))


def test_an_excerpt_is_all_that_stands_below_a_key(item):
    """An excerpt holds the comments from the key's line to the end of the value, and means the value alone."""
    assert TEMPLATE == item.excerpt(POD)
    assert "# pods\nmatchLabels: {app: web}\n# of this workload\n" == item.excerpt(("spec", "selector"))
    assert item.value["spec"]["template"] == load(item.excerpt(POD))


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (("spec", "strategy"), "{type: Recreate}\n"),
        (("spec", "strategy", "type"), "Recreate\n"),
        (("spec", "template", "spec", "containers", 0, "image"), '"web:1"\n'),
        (("spec", "template", "spec", "containers", 0, "command", 0), "|\n  set -eu\n\n  run\n"),
        (("metadata", "name"), "web\n"),
    ],
)
def test_an_excerpt_of_a_line_is_without_the_key_s_comment(item, path, text):
    """What stands on the line of a key belongs to the key."""
    assert text == item.excerpt(path)


def test_an_excerpt_of_the_whole_is_a_document(item):
    """The excerpt at the root is the object as a document."""
    assert item.at(None) == item.excerpt(())


@pytest.mark.parametrize(
    "path", [("no",), ("kind", "x"), ("metadata", 0), ("spec", "template", "spec", "containers", 9)]
)
def test_nowhere_has_no_excerpt(item, path):
    """A path that leads nowhere is a KeyError."""
    with pytest.raises(KeyError):
        item.excerpt(path)


@pytest.mark.parametrize(
    ("text", "path", "excerpt"),
    [
        ("a: &x {k: 1}\nb: *x # see\n", ("b",), "k: 1\n"),
        ("a: &x {k: 1}\nb:\n  <<: *x\n  c: 2\n", ("b",), "k: 1\nc: 2\n"),
        ("a: &x {k: {l: 1}}\nb:\n  <<: *x\n", ("b", "k"), "l: 1\n"),
        ("? a\n: b: 1\n", ("a",), "b: 1\n"),
    ],
)
def test_an_excerpt_stands_alone(text, path, excerpt):
    """An excerpt is a document of its own, wherever aliases lead and whatever its layout was."""
    item = Item(text.encode())

    assert same(load(excerpt), load(item.excerpt(path)))
    assert same(at(item.value, path), load(item.excerpt(path)))


SHARED = """\
metadata:
  labels: &labels {app: web} # who
spec:
  selector: *labels
  template: # pods
    metadata:
      labels: *labels # theirs
    # the one
    spec: {image: &image "web:1", also: *image, more: *labels}
"""
LENT = """\
metadata:
  labels: &labels {app: web} # theirs
# the one
spec: {image: &image "web:1", also: *image, more: *labels}
"""
POD, SELECTOR = ("spec", "template"), ("spec", "selector")


def test_aliases_come_along_and_go_back():
    """An excerpt has what its aliases stand for, with all comments, and has its aliases again where it came from."""
    item = Item(SHARED.encode())
    pod, selector = item.excerpt(POD), item.excerpt(SELECTOR)
    assert pod == LENT
    assert selector == "&labels {app: web}\n"

    other = {"metadata": item.value["metadata"], "spec": {"selector": {"app": "x"}, "template": {"a": 1}}}
    assert item.edited(other).edited(item.value, {POD: pod, SELECTOR: selector}).text == SHARED


def test_a_lent_anchor_goes_where_it_stands_for_something_else():
    """What is changed in an excerpt is written out where it goes, and the anchor there keeps its meaning."""
    item = Item(SHARED.replace(", more: *labels", "").encode())
    value = load(item.excerpt(POD)) | {"metadata": {"labels": {"app": "web", "track": "stable"}}}
    text = retext(item.excerpt(POD), value)
    assert "labels: &labels {app: web, track: stable} # theirs" in text
    edited = item.edited(item.value | {"spec": item.value["spec"] | {"template": value}}, {POD: text})
    assert "\n      labels: {app: web, track: stable} # theirs\n" in edited.text
    assert "  selector: *labels\n" in edited.text


CANARY = """\
# the canary
metadata: {labels: {app: canary}} # all of it

spec:
  # none
  containers: []
  # so far
# end
"""


def test_text_goes_in_word_for_word(item):
    """A verbatim text stands in the item as it was given, in the right columns, and comes out again the same."""
    value = {**item.value, "spec": {**item.value["spec"], "template": load(CANARY)}}
    edited = item.edited(value, {POD: CANARY})

    assert CANARY == edited.excerpt(POD)
    assert (
        "    template: # the pods\n      # the canary\n      metadata: {labels: {app: canary}} # all of it\n"
        in edited.text
    )
    assert "        # so far\n      # end\n\n    # how it is rolled\n" in edited.text


def test_text_comes_back_word_for_word(item):
    """Whatever was put in its place, the first excerpt restores the first bytes."""
    value = {**item.value, "spec": {**item.value["spec"], "template": load(CANARY), "selector": {"a": "b"}}}
    selector = ("spec", "selector")
    texts = {POD: item.excerpt(POD), selector: item.excerpt(selector)}

    assert LISTED == item.edited(value, {POD: CANARY}).edited(item.value, texts).raw


def test_text_comes_back_with_its_line_ends():
    """Where a file mixes line ends, each line keeps its own."""
    item = Item(b"spec:\r\n  template:\n    a: 1\r\n    b: 2\n  c: 3\r\n")
    path = ("spec", "template")
    edited = item.edited({"spec": {"template": {"d": 4}, "c": 3}}, {path: "# new\nd: 4\n"})

    assert b"spec:\r\n  template:\n    # new\n    d: 4\n  c: 3\r\n" == edited.raw
    assert item.raw == edited.edited(item.value, {path: item.excerpt(path)}).raw


def test_text_with_another_meaning_is_ignored(item):
    """A verbatim text is used only where it means the value that is wanted, and is YAML at all."""
    value = {**item.value, "spec": {**item.value["spec"], "template": {"spec": {}}}}

    assert item.edited(value).raw == item.edited(value, {POD: "spec: []"}).raw == item.edited(value, {POD: "{"}).raw
    assert "      spec: {}\n      # yet\n\n    # how" in item.edited(value, {POD: "spec: []"}).text


def test_text_can_be_where_nothing_was(item):
    """A verbatim text may come with a key that is new."""
    value = {**item.value, "status": {"old": load(CANARY)}}

    assert item.edited(value, {("status", "old"): CANARY}).excerpt(("status", "old")) == CANARY
    assert item.text == item.edited(value, {("status", "old"): CANARY}).edited(item.value).text


def test_text_that_cannot_go_where_it_is_wanted_gives_way():
    """Inside brackets, and for anything but mappings and lists, the value is written without its text."""
    item = Item(b'{"a": {"b": {"c": 1}}, "d": 1}\n')
    value = {"a": {"b": {"c": 2}}, "d": 2}

    assert (
        '{"a": {"b": {"c": 2}}, "d": 2}\n' == item.edited(value, {("a", "b"): "# two\nc: 2\n", ("d",): "2 # two"}).text
    )
    assert '{"a": {"b": {c: 2}}, "d": 2}\n' == item.edited(value, {("a", "b"): "{c: 2}\n"}).text


nested = st.fixed_dictionaries({"spec": st.fixed_dictionaries({"template": manifests, "other": manifests})})


@st.composite
def items(draw, manifests=manifests):
    """Draw an item of a list or of a stream, with either line end."""
    text, listed = draw(styled(manifests))[1], draw(st.sampled_from((None, 0, 2)))
    raw = Item(text.encode()).at(listed)
    return Item((raw.replace("\n", "\r\n") if draw(st.booleans()) else raw).encode(), listed=listed)


@given(items(nested), styled(flows=False), st.data())
def test_text_is_exact(item, drawn, data):
    """Any block mapping under a key can be replaced by any text and put back, with no byte lost on either way."""
    value, text = drawn
    blocks = [path for path in paths(item.value) if isinstance(path[-1], str) and is_block(item, path)]
    assume(blocks)
    path = data.draw(st.sampled_from(blocks))
    changed = copy.deepcopy(item.value)
    at(changed, path[:-1])[path[-1]] = value
    edited = item.edited(changed, {path: text})

    assert text.rstrip("\n") == edited.excerpt(path).rstrip("\n")
    assert item.raw == edited.edited(item.value, {path: item.excerpt(path)}).raw


# Words in whose place aliases come.
ALIASES = ("aliasone", "aliastwo")


@st.composite
def sharing(draw):
    """Draw an item that has anchors first, one of them in a block, and aliases of both wherever people put some."""
    inner = st.recursive(
        leaves | st.sampled_from(ALIASES),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=4),
        max_leaves=10,
    )
    _, text = draw(styled(st.fixed_dictionaries({"spec": st.dictionaries(words, inner, min_size=1)}), flows=False))
    anchors = f"one: &one {draw(st.sampled_from(('web:1', '[a, {b: c}]', '{}')))}\ntwo: &two # labels\n  app: web\n"
    for word in ALIASES:
        text = re.sub(rf"""(['"]?){word}\1(?=[\s,\]}}]|$)""", f"*{word[5:]}", text)
    return Item((anchors + text).encode())


@given(sharing(), st.data())
def test_shared_values_are_shared_again(item, data):
    """Any block mapping under a key can be replaced and put back where it has aliases, too, and stands alone."""
    found = [path for path in paths(item.value) if path[0] == "spec" and isinstance(path[-1], str)]
    blocks = [path for path in found if is_block(item, path) and not in_brackets(item, path)]
    assume(blocks)
    path = data.draw(st.sampled_from(blocks))
    excerpt = item.excerpt(path)
    changed = copy.deepcopy(item.value)
    at(changed, path[:-1])[path[-1]] = {"other": 1}
    assert same(load(excerpt), at(item.value, path))
    assert item.raw == item.edited(changed).edited(item.value, {path: excerpt}).raw


def in_brackets(item, path):
    """Say whether a value is part of one in brackets."""
    return any(item.excerpt(path[:depth])[0] in "[{" for depth in range(1, len(path)))


def is_block(item, path):
    """Say whether the value at a path is a block mapping, by the look of its excerpt."""
    value = at(item.value, path)
    return isinstance(value, dict) and bool(value) and not item.excerpt(path).lstrip().startswith("{")


@given(items(), st.sampled_from((None, 0, 2, 4)))
def test_an_object_can_move(item, listed):
    """Between streams and lists an object keeps its meaning, its comments and its kind of line ends."""
    moved = Item(item.at(listed).encode(), listed=listed)

    assert same(item.value, moved.value)
    assert item.text.count("# remark: x") == moved.text.count("# remark: x")
    assert item.text.count("\r") == 0 or moved.text.count("\n") == moved.text.count("\r")
    assert item.text == item.at(item.listed)


def test_an_object_moves_as_kpt_writes_it(item):
    """Comments above the first key stand behind the dash."""
    document = item.at(None)

    assert document.startswith(
        "# Deployment of web\napiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web # the name\n"
    )
    assert (
        Item(document.encode())
        .at(2)
        .startswith("- # Deployment of web\n    apiVersion: apps/v1\n    kind: Deployment\n")
    )


def test_new_objects_are_canonical():
    """A new object is written in block style, in the order of its keys, and knows its place."""
    value = {"kind": "A", "apiVersion": "v1", "metadata": {"name": "a", "labels": {"on": "no"}}, "spec": [{"x": 1}]}
    item = new(value, path="a.yaml", index=3)

    assert 'kind: A\napiVersion: v1\nmetadata:\n  name: a\n  labels:\n    "on": "no"\nspec:\n- x: 1\n' == item.text
    assert (Ref("v1", "A", "", "a"), "a.yaml", 3, -1, None) == (item.ref, item.path, item.index, item.mark, item.listed)
    assert value == item.value


def test_new_objects_have_to_be_yaml():
    """A new object that YAML cannot hold is refused."""
    with pytest.raises(KrmfnError, match="cannot be written as YAML: nan"):
        new({"a": float("nan")})


def test_what_no_cluster_takes_is_not_read():
    """An object far beyond what a cluster accepts has a name and is passed on, but reading it is refused at once."""
    item = Item(b"kind: A\nmetadata: {name: a}\ndata: " + b"x" * 17_000_000)

    assert Ref("", "A", "", "a") == item.ref
    with pytest.raises(NotYaml, match="17000035 characters"):
        item.value  # noqa: B018 - the value is not wanted


def test_slices_of_one_buffer_will_do():
    """An item may be a view of the input, and stays one."""
    view = memoryview(b"x- a: 1\n  b: 2\n")[1:]
    item = Item(view, listed=0)

    assert {"a": 1, "b": 2} == item.value
    assert item.raw is view


def test_reading_leaves_no_cycles(item):
    """Everything an item builds is freed without the garbage collector, which the function switches off."""
    gc.collect()
    gc.disable()
    try:
        for _ in range(5):
            fresh = Item(item.raw, listed=0)
            fresh.edited({**fresh.value, "kind": "B"}).excerpt(POD)
        del fresh
        assert gc.collect() == 0
    finally:
        gc.enable()
