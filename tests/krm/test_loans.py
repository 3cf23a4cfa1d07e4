"""Aliases that reach into another object are written out when, and only when, that is needed."""

import pytest

from krmfn import krm
from krmfn.errors import NotYaml

LIST = """apiVersion: config.kubernetes.io/v1
kind: ResourceList
items:
- kind: A
  metadata: &m {name: a, labels: &l {app: x}}
- kind: B # two
  metadata:
    <<: *m
    labels: *l # kept
- kind: C
  spec: {own: &o 1, again: *o}
functionConfig: {kind: *l}
"""


def written(package, changes):
    """Write a package and return the text."""
    return b"".join(krm.write(package, changes)).decode()


def test_borrowers_are_read_with_what_they_borrow():
    """An alias means what its anchor holds, wherever that is, also in the configuration."""
    package = krm.read(LIST.encode())

    assert {"name": "a", "labels": {"app": "x"}} == package.items[1].value["metadata"]
    assert {"kind": {"app": "x"}} == package.config
    assert {"own": 1, "again": 1} == package.items[2].value["spec"]


def test_borrowers_keep_their_bytes():
    """While nobody touches borrower and lender, both stay as they are."""
    package = krm.read(LIST.encode())

    assert LIST == written(package, package.items)
    edited = package.items[2].edited({"kind": "C"})
    assert LIST.partition("- kind: C")[0] == written(package, {2: (edited,)}).partition("- kind: C")[0]


def test_an_edited_borrower_stands_alone():
    """An edit of a borrower writes out what it borrowed, and keeps its comments."""
    package = krm.read(LIST.encode())
    edited = package.items[1].edited(package.items[1].value | {"kind": "X"})
    text = written(package, {1: (edited,)})

    assert "- kind: X # two\n  metadata:\n    <<: {name: a, labels: {app: x}}\n    labels: {app: x} # kept\n" in text
    assert "&m" in text


@pytest.mark.parametrize("now", [(), (krm.new({"kind": "Z"}),)])
def test_borrowers_outlive_their_lender(now):
    """Where the lender goes, or is another now, all who borrowed from it are written out."""
    text = written(package := krm.read(LIST.encode()), {0: now})

    assert [item.value for item in package.items[1:]] == [item.value for item in krm.read(text.encode()).items[-2:]]
    assert "*m" not in text
    assert "*o" in text
    assert "functionConfig: {kind: {app: x}}\n" in text


def test_an_edited_lender_changes_nobody_else():
    """What others borrowed is what it was, also where the lender's own value changes."""
    package = krm.read(LIST.encode())
    text = written(package, {0: (package.items[0].edited({"kind": "A", "metadata": {"name": "z"}}),)})

    assert package.items[1].value == krm.read(text.encode()).items[1].value


def test_borrowers_are_found_by_what_they_borrow():
    """A search for a name that only the lender spells finds those who borrowed it as well."""
    assert [0, 1] == [item.mark for item in krm.read(LIST.encode()).find("app")]


def test_an_alias_without_an_anchor_is_named():
    """The message has the line of the whole input."""
    with pytest.raises(NotYaml, match="line 8, column 9: alias \\*x has no anchor"):
        krm.read(LIST.replace("*m", "*x").encode())


def test_a_list_in_brackets_is_laid_out_with_its_loans():
    """Where the list has to be written anew, borrowers are written out."""
    top = "apiVersion: config.kubernetes.io/v1, kind: ResourceList"
    text = f"{{{top}, items: [{{kind: &k A}}, {{kind: *k}}], functionConfig: *k}}"
    package = krm.read(text.encode())

    assert text == written(package, package.items)
    assert written(package, {0: ()}).endswith("items:\n- {kind: A}\nfunctionConfig: A\n")
