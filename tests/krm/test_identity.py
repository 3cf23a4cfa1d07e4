"""Under which edits an object keeps the ids that kpt gave it: where kpt's merge of the original changes nothing."""

import subprocess
import sys

import pytest

from krmfn import krm
from krmfn.krm.internals import IDS

TOP = "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n"
GIVEN = """\
- # licence
  apiVersion: apps/v1
  kind: Deployment
  metadata:
    name: web # the name
    annotations:
      note: "yes"
      config.kubernetes.io/path: 'app.yaml'
      internal.config.kubernetes.io/path: 'app.yaml'
      internal.config.kubernetes.io/id: '1'
      config.k8s.io/id: '1'
  # how many
  spec:
    replicas: 3
    paused: false # until noon
    args: [a, b]
    bare:
    - name: one
      value: x
    - name: two
      value: w
    told:
    - name: one # 1st
      value: x
    # about the second
    - name: two
      value: w
    text: | # verbatim
      # not a comment
    last: 1
    # that is all
- apiVersion: v1
  kind: ConfigMap
  metadata:
    name: other
    annotations: {internal.config.kubernetes.io/id: '2', config.k8s.io/id: '2'}
"""
NEW = {"name": "new", "value": "z"}
ONE, TWO = {"name": "one", "value": "x"}, {"name": "two", "value": "w"}
SPEC = krm.load(GIVEN)[0]["spec"]


def written(spec, verbatim=None, given=GIVEN):
    """Write the list with another spec in its first object, and return the text."""
    package = krm.read((TOP + given).encode())
    first = package.items[0]
    edited = first.edited(first.value | {"spec": spec}, verbatim or {})
    return b"".join(krm.write(package, {0: (edited,)})).decode().removeprefix(TOP)


def ids(text):
    """Return the ids of the first object of a list."""
    return [krm.load(text)[0]["metadata"]["annotations"].get(own) for own in IDS]


def without(*names):
    """Return the spec without some fields."""
    return {name: value for name, value in SPEC.items() if name not in names}


KEPT = {
    "a value": SPEC | {"replicas": 5},
    "a value with a comment": SPEC | {"paused": True},
    "a field behind the others": {**SPEC, "bare": [ONE | {"more": {"a": "b"}}, TWO]},
    "a field less": without("replicas"),
    "a field less, with its comment": without("paused"),
    "brackets": SPEC | {"args": ["b", "a", "c"]},
    "another item behind": SPEC | {"told": [ONE, TWO, NEW]},
    "the last item less, with its comment": SPEC | {"told": [ONE]},
    "items in front that nobody told of": SPEC | {"bare": [NEW, ONE, TWO]},
    "another order that nobody told of": SPEC | {"bare": [TWO, ONE]},
    "another name": SPEC | {"told": [ONE | {"name": "new"}, TWO]},
    "another text": SPEC | {"text": "# still none\n"},
}
LOST = {
    "a field in the middle": {"replicas": 3, "middle": 1, **SPEC},
    "another order of items": SPEC | {"told": [TWO, ONE]},
    "an item in front": SPEC | {"told": [NEW, ONE, TWO]},
    "the first item less": SPEC | {"told": [TWO]},
    "another kind of value": SPEC | {"replicas": {"a": "b"}},
    "another kind of value below": SPEC | {"bare": [NEW, ONE | {"value": ["x"]}, TWO]},
    "a name that was another's": SPEC | {"told": [ONE | {"name": "two"}, TWO | {"name": "one"}]},
    "the end, on which a comment hangs": without("last"),
    "a field behind a comment at the end": {**SPEC, "more": 1},
}


@pytest.mark.parametrize("spec", KEPT.values(), ids=KEPT)
def test_ids_are_kept_where_nothing_is_merged(spec):
    """Where each comment is still at its path and each field in its order, an object goes back under its ids."""
    assert ["1", "1"] == ids(written(spec))


@pytest.mark.parametrize("spec", LOST.values(), ids=LOST)
def test_ids_are_dropped_where_something_could_be_merged(spec):
    """Where kpt would move, copy or refuse something, an object goes back without ids and with all else."""
    text = written(spec)

    assert [None, None] == ids(text)
    assert text.startswith(GIVEN[: GIVEN.index("      internal.config.kubernetes.io/id")])
    assert GIVEN[GIVEN.index("- apiVersion: v1") :] in text
    assert krm.load(text)[0]["spec"] == spec


# What else stands in the place of `replicas: 3`, by itself or together with what stood there.
TEXTS = {
    "a folded scalar": ("words: >-\n      a\n    replicas: 3", "words: >-\n      a\n    replicas: 4"),
    "a comment inside brackets": ("replicas: [a, # one\n      b]", "replicas: [a, # one\n      c]"),
    "a comment behind a dash": ("replicas:\n    - # one\n      a: b", "replicas:\n    - # one\n      a: c"),
    "brackets where a comment was": ("replicas:\n    - {a: x}\n    - a: z # 1", "replicas: [{c: 1}, {a: x}, {a: z}]"),
    "two merge keys": ("x: &x {a: b}\n    replicas: {<<: *x, <<: *x, c: d}", "x: &x {a: b}\n    replicas: {c: 1}"),
}


@pytest.mark.parametrize(("before", "after"), TEXTS.values(), ids=TEXTS)
def test_ids_are_dropped_where_nobody_knows(before, after):
    """Where kpt rewrites what it merges, or a comment stands where nobody expects one, an object loses its ids."""
    given, now = (GIVEN.replace("replicas: 3", text) for text in (before, after))

    assert [None, None] == ids(written(krm.load(now)[0]["spec"], given=given))


def test_a_text_with_all_comments_keeps_ids():
    """A verbatim text for a part keeps the ids if it has a comment wherever there was one, and loses them if not."""
    told = "- name: one # first\n  value: q\n# on the second\n- name: two\n  value: w\n"
    spec = SPEC | {"told": krm.load(told)}
    bare = told.replace(" # first", "")

    assert ["1", "1"] == ids(written(spec, {("spec", "told"): told}))
    assert [None, None] == ids(written(spec, {("spec", "told"): bare}))
    assert "on the second\n    - name: two\n" in written(spec, {("spec", "told"): bare})


def test_ids_between_brackets_are_dropped():
    """Annotations that were only ids are gone with them, also from brackets."""
    package = krm.read((TOP + GIVEN).encode())
    other = package.items[1]
    now = b"".join(krm.write(package, {1: (other.edited({"data": {}, **other.value}),)})).decode()

    assert krm.load(now)["items"][1] == {"data": {}} | other.value | {"metadata": {"name": "other"}}


def test_untouched_items_keep_their_bytes():
    """An item that came to be what it was goes out as it came in, ids and all, and so does its neighbour."""
    package = krm.read((TOP + GIVEN).encode())
    first = package.items[0]
    again = first.edited(first.value | {"spec": 1}).edited(first.value, {("spec",): first.excerpt(("spec",))})

    assert TOP + GIVEN == b"".join(krm.write(package, {0: (again,)})).decode()


def test_new_items_never_have_ids():
    """An object in the place of another with the same name is in its file, and not under its id."""
    package = krm.read((TOP + GIVEN).encode())
    now = b"".join(krm.write(package, {0: (krm.new(package.items[0].value),)})).decode()

    assert [None, None] == ids(now.removeprefix(TOP))
    assert "internal.config.kubernetes.io/path: app.yaml" in now


@pytest.mark.parametrize(("change", "loaded"), [("(first,)", False), ("(first.edited({'kind': 'A'}),)", True)])
def test_only_edits_pay(change, loaded):
    """Nothing of this is loaded before an edited item is written."""
    code = f"import sys; from krmfn import krm; package = krm.read({(TOP + GIVEN).encode()!r}); "
    code += f"first = package.items[0]; krm.write(package, {{0: {change}, 1: ()}}); "
    code += "sys.exit('krmfn.krm.identity' in sys.modules)"

    assert loaded == bool(subprocess.run([sys.executable, "-c", code], check=False).returncode)
