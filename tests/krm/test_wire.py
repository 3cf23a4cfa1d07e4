"""Standard input and output: what did not change goes out as it came in, and hosts never delete by accident."""

import pytest
from hypothesis import given, settings

from krmfn import krm
from krmfn.errors import KrmfnError, NotYaml
from tests.krm.hostile import resource_lists
from tests.krm.test_slices import elements, told

TOP = "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\n"
# What kpt sends, in short.
KPT = """apiVersion: config.kubernetes.io/v1
kind: ResourceList
items:
- # Copyright
  apiVersion: apps/v1
  kind: Deployment
  metadata:
    name: web # the name
    annotations:
      note: "yes"
      config.kubernetes.io/index: '0'
      config.kubernetes.io/path: 'app.yaml'
      internal.config.kubernetes.io/index: '0'
      internal.config.kubernetes.io/path: 'app.yaml'
      internal.config.kubernetes.io/id: '1'
  spec: {replicas: 3}
- apiVersion: kustomize.config.k8s.io/v1beta1
  metadata:
    annotations: {internal.config.kubernetes.io/path: 'kustomization.yaml'}
- apiVersion: v1
  kind: List
  items: []
functionConfig: {apiVersion: v1, kind: ConfigMap, data: {step: "2"}}
"""
NEW = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web-canary"}}
NEW_TEXT = """- apiVersion: v1
  kind: Service
  metadata:
    name: web-canary
    annotations:
      config.kubernetes.io/path: app.yaml
      config.kubernetes.io/index: "{index}"
      internal.config.kubernetes.io/path: app.yaml
      internal.config.kubernetes.io/index: "{index}"
"""


def package(text):
    """Read a text."""
    return krm.read(text.encode())


def written(given, items, results=()):
    """Write a package and return the text."""
    return b"".join(krm.write(given, items, results)).decode()


@settings(max_examples=300)
@given(resource_lists())
def test_nothing_changes_by_itself(text):
    """Reading and writing gives the same bytes, whatever was read, and items mean what the text says."""
    try:
        given_package = package(text)
    except KrmfnError:
        return
    if given_package.wire != "list" or not given_package.frame.current:
        return

    assert text == written(given_package, given_package.items)
    if not given_package.loans:
        stood = [told(" " * (item.listed or 0) + item.text)[3:-3] for item in given_package.items]
        assert elements(told(text)) == stood


@settings(max_examples=200)
@given(resource_lists())
def test_a_new_item_changes_nothing_else(text):
    """With a new item after the last one, all that was there is still there, in front of it."""
    try:
        given_package = package(text)
    except KrmfnError:
        return
    if given_package.wire != "list" or not text.endswith("\n"):
        return
    last = given_package.items[-1]
    now = package(written(given_package, {last.mark: (last, krm.new(NEW))}))

    assert [item.text for item in given_package.items] == [item.text for item in now.items[:-1]]
    assert now.items[-1].value == NEW


@pytest.mark.parametrize(
    "text",
    [
        KPT,
        TOP + "items: []\n",
        TOP + "items:\n",
        TOP + "items:\n- 3\n- null\n- text\n- [a]\n- \n",
        "---\n# top\n" + TOP + "x-unknown: {a: b}\nitems:\n  - a: 1\n  - b: 2",
        TOP + "items:\n- a: 1\n...\n# end\n",
        TOP.replace("\n", "\r\n") + "items:\r\n- a: 1\r\n- b: 2\r\n",
        "\ufeff" + TOP + "items:\n- a: 1\n",
        '{"apiVersion": "config.kubernetes.io/v1", "kind": "ResourceList", "items": [{"a": "1"}, {"b": 2}]}',
        TOP + "items: [{a: 1},\n{b: 2}] # two\n",
        TOP + 'x: "\nitems:\n- b\n"\nitems:\n- a: 1\n',
        "? apiVersion\n: config.kubernetes.io/v1\nkind: ResourceList\nitems: !!seq\n\n  # c\n  - a\n  - b\n",
    ],
)
def test_every_shape_passes_through(text):
    """A ResourceList of any shape goes out byte for byte where nothing changed."""
    given_package = package(text)

    assert text == written(given_package, given_package.items) == written(given_package, list(given_package.items))


def test_untouched_items_are_not_copied():
    """What lies between two changes goes out as one piece of the input's memory."""
    data = (TOP + "items:\n" + "- a: 1\n" * 9).encode()
    given_package = krm.read(data)
    pieces = krm.write(given_package, {4: ()})

    assert [data[:62], data[62 : 62 + 28], data[62 + 35 :]] == [bytes(piece) for piece in pieces]
    assert [data, data] == [piece.obj for piece in pieces if isinstance(piece, memoryview)]


def test_new_items_get_a_file_and_a_place_of_their_own():
    """Kpt refuses two documents with one path and index (trap 9), so a place that is taken is passed over."""
    given_package = package(KPT)
    first = given_package.items[0]
    now = written(given_package, {0: (first, krm.new(NEW, path="app.yaml"), krm.new(NEW, path="app.yaml"))})

    assert (
        KPT.replace(
            "- apiVersion: kustomize", NEW_TEXT.format(index=1) + NEW_TEXT.format(index=2) + "- apiVersion: kustomize"
        )
        == now
    )


def test_copies_lose_the_identity_of_their_original():
    """An object that was made from another is not taken for it: its path, index and ids are its own (trap 10)."""
    given_package = package(KPT)
    copy = krm.new(given_package.items[0].value | {"kind": "StatefulSet"}, path="app.yaml", index=1)
    now = package(written(given_package, {0: (given_package.items[0], copy)})).items[1]

    assert {
        "note": "yes",
        "config.kubernetes.io/path": "app.yaml",
        "config.kubernetes.io/index": "1",
        "internal.config.kubernetes.io/path": "app.yaml",
        "internal.config.kubernetes.io/index": "1",
    } == now.value["metadata"]["annotations"]


@pytest.mark.parametrize("replace", [lambda item, value: item.edited(value), lambda _, value: krm.new(value)])
def test_the_host_finds_its_annotations_again(replace):
    """An item that lost the annotations of the host, or was written anew, gets them back (trap 11)."""
    given_package = package(KPT)
    first = given_package.items[0]
    value = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {"replicas": 1}}
    now = package(written(given_package, {0: (replace(first, value),)})).items[0]

    assert {"replicas": 1} == now.value["spec"]
    told = first.value["metadata"]["annotations"]
    places = {name: told[name] for name in told if name.endswith(("path", "index"))}
    assert now.value["metadata"]["annotations"].items() >= places.items()


def test_items_need_not_be_objects():
    """Whatever hosts send is passed on, and can be asked what it is without failing (trap 12)."""
    given_package = package(TOP + "items:\n- 3\n- null\n- {resources: [a]}\n- kind: List\n  items: [{kind: A}]\n")

    assert ["", "", "", "List"] == [item.ref.kind for item in given_package.items]
    assert written(given_package, {3: (given_package.items[3], krm.new(NEW))}).startswith(
        TOP + "items:\n- 3\n- null\n- {resources: [a]}\n- kind: List\n  items: [{kind: A}]\n- apiVersion: v1\n"
    )


def test_results_follow_those_that_are_there():
    """What functions before us had to say is kept, and so is everything behind it."""
    given_package = package(TOP + "items:\n- a: 1\nresults:\n- message: old # kept\nx-more: 1\n...\n")

    assert (
        TOP + "items:\n- a: 1\nresults:\n- message: old # kept\n- message: new\n  severity: info\nx-more: 1\n...\n"
        == written(given_package, given_package.items, [{"message": "new", "severity": "info"}])
    )


def test_the_version_of_the_list_becomes_ours():
    """The output is in the version that hosts read, which costs one scalar."""
    old = KPT.replace("config.kubernetes.io/v1\n", '"config.kubernetes.io/v1alpha1" # old\n', 1)
    given_package = package(old)

    assert old.replace("v1alpha1", "v1") == written(given_package, given_package.items)


@pytest.mark.parametrize(
    ("around", "newline"), [(("", ""), "\n"), (("", "functionConfig:\n  a: 1\n"), "\n"), (("# c\n", ""), "\r\n")]
)
def test_new_lines_end_like_the_old_ones(around, newline):
    """Items and results that come in are written in the line breaks of the list."""
    text = (around[0] + TOP + "items:\n- a: 1\n- b: |\n    x\n" + around[1]).replace("\n", newline)
    given_package = package(text)
    now = written(given_package, {0: (given_package.items[0], krm.new(NEW))}, [{"message": "m"}])

    assert now.count("\n") == now.count(newline)
    assert [{"a": 1}, NEW, {"b": "x\n"}] == [item.value for item in package(now).items]
    assert [{"message": "m"}] == package(now).results


def test_a_last_line_without_an_end_keeps_its_meaning():
    """A scalar that ends with the text does not get a line break because something follows now."""
    given_package = package(TOP + "items:\n- a: 1\n- b: |\n    x")
    now = package(written(given_package, {1: (given_package.items[1], krm.new(NEW))}, [{"message": "m"}]))

    assert [{"a": 1}, {"b": "x"}, NEW] == [item.value for item in now.items]
    assert {"b": "x"} == package(written(given_package, {}, [{"message": "m"}])).items[1].value


def test_a_list_in_brackets_becomes_a_list_of_lines():
    """A list that holds a new item is written as block, in which old items still are what they were."""
    text = '{"items": [{"a": "1"}, {"b":\n2}, c\n d], "kind": "ResourceList", "apiVersion": "config.kubernetes.io/v1"}'
    given_package = package(text)
    now = written(given_package, {0: (given_package.items[0], krm.new({"kind": "Z"}))}, [{"message": "m"}])

    assert TOP + 'items:\n- {"a": "1"}\n- kind: Z\n- {"b":\n2}\n- c d\nresults:\n- message: m\n' == now


@pytest.mark.parametrize("items", ["items: []\n", "items:\n", "items: ~\n"])
def test_an_empty_list_stays_empty_or_is_filled(items):
    """A list that came in empty goes out empty, with results, or with the items that are new."""
    given_package = package(TOP + items + "functionConfig: {a: 1}\n")
    filled = package(written(given_package, {0: (krm.new(NEW),)}))

    assert [NEW] == [item.value for item in filled.items]
    assert {"a": 1} == filled.config
    assert [[], [{"message": "m"}]] == list(
        map(krm.load(written(given_package, {}, [{"message": "m"}])).get, ("items", "results"))
    )


@pytest.mark.parametrize("items", [[], {0: (), 1: (), 2: ()}])
def test_nothing_is_never_written(items):
    """Hosts delete what is not in the list, so a list that was not empty cannot become so (trap 1)."""
    with pytest.raises(KrmfnError, match="nothing is left of the package"):
        krm.write(package(KPT), items)


def test_separators_are_never_left_behind_the_list():
    """Kpt does not know a ResourceList with a separator behind it (trap 15)."""
    given_package = package(KPT + "---\n\n")

    assert written(given_package, given_package.items) == KPT


def test_a_stream_is_no_list():
    """Manifests without a list around them are read as documents, and cannot be answered with a list."""
    given_package = package("# ResourceList\nkind: A\n---\nkind: ResourceList\n")

    assert ["stream", 2] == [given_package.wire, len(given_package.items)]
    with pytest.raises(KrmfnError, match="not a ResourceList"):
        krm.write(given_package, given_package.items)


@pytest.mark.parametrize("text", ["", "\n \t\n", "# only a comment\n", "---\n...\n"])
def test_empty_input_is_an_error(text):
    """Nothing in means that a host forgot something, and nothing out would delete everything (trap 1)."""
    with pytest.raises(KrmfnError, match=r"the input is empty: .*ResourceList, or manifests, on standard input"):
        package(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (TOP, "has no `items`"),
        (TOP + "items: 3\n", "line 3, column 8: `items` is not a list"),
        (TOP + "items: {a: 1}\n", "line 3, column 8: `items` is not a list"),
        (TOP + "items: &a\n- *a\n", "line 4, column 3"),
        ("kind: ResourceList\nitems: []\n", "its apiVersion is missing"),
        (TOP + "items:\n- a: 1\nkind: X\n", "line 5, column 1: the field `kind` is there twice"),
        (TOP + "items:\n- a: 1\nitems: []\n", "line 5, column 1: the field `items` is there twice"),
        (TOP + "items:\n- a: 1\n- b:\n\tc: 1\n", "line 6, column 1: "),
        (TOP + "items:\n- a: 1\n- b: [\n", "line 6, column 1"),
        (TOP + "items:\n- a: 1\n---\nkind: A\n", "line 5, column 1: a second document begins here"),
        ("%YAML 1.2\n---\n" + TOP + "items: []\n", "line 1, column 1: Kubernetes tools refuse % directives"),
        (TOP + "items: []\n? [a]\n: b\n", "line 4, column 3: a field of a ResourceList is not named by a string"),
        (TOP + "items: " + "[" * 300, "line 3, column 207: nests deeper than 200 levels"),
        (TOP + "? items\n: - a\n  - b\n", "line 4, column 3: write each `- ` of `items` on a line of its own"),
        (TOP + "items: [a," + " " * (33 << 20) + "b]", "the input has 33 MB .* up to 32 MB; write one `- ` line"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text, message):
    """Every error says where in the whole input it is, and what to do."""
    with pytest.raises(KrmfnError, match=message):
        package(text)


def test_bytes_that_are_no_text_are_named():
    """The first byte that is not UTF-8 is said with its offset, its line and its column."""
    with pytest.raises(
        NotYaml, match="line 5, column 6: byte 75 \\(0xff\\) is not UTF-8; save the text as UTF-8"
    ) as info:
        krm.read((TOP + "items:\n- a: 1\n- é: ").encode() + b"\xff\n")
    assert (5, 6) == (info.value.line, info.value.column)
    with pytest.raises(NotYaml, match="the input is UTF-16"):
        krm.read((TOP + "items: []\n").encode("utf-16"))


def test_a_configuration_that_cannot_be_read_is_said_with_its_place():
    """What stands behind the items is counted in lines of the whole input."""
    given_package = package(TOP + "items:\n- a: 1\n  b: 2\n- c: 3\nfunctionConfig:\n  a: 1\n  a: 2\n")

    with pytest.raises(NotYaml, match=r"^line 9, column 3: "):
        _ = given_package.config


def test_no_word_of_the_host_is_taken_for_the_items():
    """Whatever stands around the items, results and items come in at their places."""
    given_package = package(TOP + "items:\n- a: 1\nfunctionConfig:\n- krmfn-items\n- krmfn-items-\n")

    assert TOP + "items:\n- a: 1\nfunctionConfig:\n- krmfn-items\n- krmfn-items-\nresults:\n- message: m\n" == written(
        given_package, {}, [{"message": "m"}]
    )
