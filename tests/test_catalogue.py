"""Many rollouts in one package: the tables by which they are found say what a search through the text would."""

import io

import pytest

from krmfn import hosts, krm
from krmfn.catalogue import Catalogue
from krmfn.scene import MANY, Scene, bare
from tools.bench import corpus

SERVICES = b"""\
kind: Service
apiVersion: v1
metadata: {name: web, annotations: {example.com/lua.v1.x: "on"}}
spec: {selector: {app: web, tier: "fr\\u006fnt"}}
---
kind: Service
apiVersion: v1
metadata: {name: cart}
spec: {selector: {app: cart, tier: front}, ports: [{name: http}]}
---
kind: Service
apiVersion: v1
metadata: {name: twice, name: twice}
"""


def rendered(documents, change=lambda text: text):
    """Return the objects that the function makes of a list, by key, without what hosts write into them."""
    file = io.StringIO()
    corpus.write(file, io.StringIO(), documents)
    written, _, code = hosts.answered(change(file.getvalue()).encode())
    items = krm.read(b"".join(bytes(piece) for piece in written)).items
    assert code == 0
    return {item.ref.key: bare(item.value) for item in items if item.ref.kind != "RolloutState"}


def released(text):
    """Return a list in which each rollout says that it is at step 2, with a version of its own given as stable."""
    return text.replace('krmfn.dev/step: "0"', 'krmfn.dev/step: "2"') + corpus.step("web").replace(
        "    step: 2\n    rollout: web\n", ""
    ).replace(
        "target:\n      images:\n      - name: registry.example.com/web\n",
        "target:\n      patches:\n      - spec: {template: {metadata: {annotations: {version: two}}}}\n",
    ).replace(f'        newTag: "{corpus.NEW}"\n', "")


def test_many_rollouts_are_rendered_like_each_alone():
    """A package with so many rollouts that tables are made of it gives the objects that each of them gives alone."""
    documents = list(corpus.rollouts(30))
    alone = {}
    for first in range(0, len(documents), len(corpus.APP)):
        alone |= rendered(documents[first : first + len(corpus.APP)], released)

    assert alone == rendered(documents, released)
    assert {f"web-{number}-canary" for number in range(30)} <= {name for *_, name in alone}


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ((), ["web", "cart", "twice"]),
        (("web",), ["web"]),
        (("front",), ["web", "cart"]),
        (("tier",), ["web", "cart"]),
        (("front", "cart"), ["cart"]),
        (("example.com/lua.v1.",), ["web"]),
        (("example.com/",), ["web"]),
        (("example",), []),
        (("nothing", "web"), []),
    ],
)
def test_objects_are_found_by_what_they_say(words, names):
    """A word is a whole text, a key, or the beginning of one up to a dot or a slash, however it is spelled."""
    package = krm.read_files([("a.yaml", SERVICES)])

    assert names == [item.ref.name for item in Catalogue(package.items).holding("", "Service", words)]
    assert [] == Catalogue(package.items).holding("apps", "Service", words)


def test_a_scene_changes_over():
    """The first look-ups are searches; those behind them, which find the same, come from a table."""
    scene = Scene(krm.read_files([("a.yaml", SERVICES)]))
    found = [[item.ref.name for item in scene.of_kind("", "Service", "front")] for _ in range(MANY + 5)]

    assert {("web", "cart")} == {tuple(names) for names in found}


def test_files_are_found_by_search_and_by_table():
    """However many files are asked for, each has the items that it has."""
    package = krm.read_files([(f"{number}.yaml", SERVICES) for number in range(40)])

    assert [3] * 40 == [len(package.in_file(f"{number}.yaml")) for number in range(40)]
    assert [] == list(package.in_file("other.yaml"))
