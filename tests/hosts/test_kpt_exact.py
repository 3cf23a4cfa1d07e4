"""The real kpt writes what krmfn wrote, to the byte: random packages, random edits, comments everywhere.

What a function gets from kpt is recorded by one run; the answer is made here and given by the next, since kpt sends
the same every time. kpt has its own way to write YAML (no blank lines, one space before a comment), so each package
goes through it once before anything is compared.
"""

import copy
import os
import random

import pytest

from krmfn import krm
from krmfn.krm.internals import IDS, stripped
from tests.hosts import programs

OBJECTS = 40
TEMPLATE = ("spec", "template")


class Host:
    """A package, and kpt over it with a function whose answer is known beforehand."""

    def __init__(self, place, environment):
        """Make an empty package and the two functions."""
        self.package, self.wire, self.answer = place / "package", place / "wire", place / "answer"
        functions = place / "bin"
        self.environment = {**environment, "PATH": f"{functions}{os.pathsep}{environment['PATH']}"}
        self.package.mkdir()
        functions.mkdir()
        for name, command in (("records", f"tee {self.wire}"), ("answers", f"cat > {self.wire}; cat {self.answer}")):
            (functions / name).write_text(f"#!/bin/sh\n{command}\n")
            (functions / name).chmod(0o755)

    def run(self, function):
        """Run a function over the package, and return the files."""
        ran = programs.kpt_eval(self.package, function, environment=self.environment)
        assert ran.code == 0, ran.err
        return self.files()

    def files(self):
        """Return the text of every file."""
        return {name: data.decode() for name, data in programs.files(self.package).items()}

    def recorded(self):
        """Return what kpt sends for the package."""
        self.run("records")
        return krm.read(self.wire.read_bytes())

    def edited(self, package, edits):
        """Answer with what ``edits`` makes of each item; return the items as they were sent, and the files then."""
        data = b"".join(krm.write(package, {item.mark: (edits(item),) for item in package.items}))
        self.answer.write_bytes(data)
        return krm.read(data).items, self.run("answers")


@pytest.fixture(name="host")
def _host(tmp_path, environment, kpt):
    """Return kpt over an empty package."""
    return Host(tmp_path, environment)


class Author:
    """Someone who comments on anything, in the layout that kpt itself has."""

    def __init__(self, chance, rate):
        """``rate`` says how talkative the author is."""
        self.chance, self.rate, self.said = chance, rate, 0

    def remark(self, before="", after=""):
        """Say something, or nothing."""
        self.said += 1
        return f"{before}# remark {self.said}{after}" if self.chance.random() < self.rate else ""

    def above(self, column):
        """Say something in lines of its own."""
        return "".join(self.remark(" " * column, "\n") for _ in "ab")

    def document(self, value):
        """Write an object."""
        return self.above(0) + self.mapping(value, 0)

    def mapping(self, value, column):
        """Write a mapping as lines; the first without what stands above it."""
        entries = [" " * column + key + ":" + self.rest(inner, column) for key, inner in value.items()]
        return entries[0] + "".join(self.above(column) + entry for entry in entries[1:])

    def rest(self, value, column):
        """Write what stands behind a key."""
        if isinstance(value, str) and "\n" in value:
            return " |" + self.remark(" ") + "\n" + "".join(f"{' ' * column}  {line}\n" for line in value.splitlines())
        if not isinstance(value, (dict, list)) or self.chance.random() < 0.08:
            return " " + self.flow(value) + self.remark(" ") + "\n"
        if isinstance(value, dict):
            return self.remark(" ") + "\n" + self.above(column + 2) + self.mapping(value, column + 2)
        return self.remark(" ") + "\n" + "".join(self.item(inner, column) for inner in value)

    def item(self, value, column):
        """Write an item of a list."""
        margin = self.above(column) + " " * column + "- "
        if isinstance(value, dict) and self.chance.random() > 0.08:
            return margin + self.mapping(value, column + 2).lstrip()
        return margin + self.flow(value) + self.remark(" ") + "\n"

    def flow(self, value):
        """Write a value into a line."""
        if isinstance(value, dict):
            return "{" + ", ".join(f"{key}: {self.flow(inner)}" for key, inner in value.items()) + "}"
        if isinstance(value, list):
            return "[" + ", ".join(map(self.flow, value)) + "]"
        quote = self.chance.choice("'\"") if isinstance(value, str) else ""
        return f"{quote}{value}{quote}"


def container(chance, name):
    """Return a container of any size."""
    fields = {
        "env": [{"name": f"V{i}", "value": f"{chance.randrange(9)}"} for i in chance.sample(range(6), 3)],
        "args": [chance.choice(("a", "b", "--x=y")) for _ in "abc"],
        "ports": [{"containerPort": port, "protocol": "TCP"} for port in chance.sample((80, 443, 8080), 2)],
        "volumeMounts": [{"name": "data", "mountPath": f"/{i}"} for i in "ab"],
        "resources": {"limits": {"cpu": "100m", "memory": "1Gi"}},
    }
    some = {key: fields[key] for key in fields if chance.random() < 0.5}
    return {"name": name, "image": f"{name}:1.{chance.randrange(9)}", **some}


def template(chance):
    """Return a template of pods."""
    labels = {"labels": {"app": "web", "note": "line\nanother\n"}}
    names = chance.sample(("web", "log", "proxy"), chance.randint(1, 3))
    return {"metadata": labels, "spec": {"containers": [container(chance, name) for name in names]}}


def manifest(chance, number):
    """Return an object whose schema kpt knows, or another."""
    api_version, kind = chance.choice((("apps/v1", "Deployment"), ("example.com/v1", "Thing")))
    metadata = {"name": f"n{number}", "labels": {"a": "b", "c": "d"}}
    matrix = {"hosts": [{"host": "x", "paths": [{"path": "/"}, {"path": "/a"}]}, {"host": "y"}], "words": ["a", "b"]}
    spec = {"replicas": chance.randrange(9), "template": template(chance), **matrix}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, "spec": spec}


def parts(value, path=()):
    """Yield every mapping and list inside a value."""
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
        if isinstance(inner, (dict, list)):
            yield inner
            yield from parts(inner, (*path, key))


def changed(chance, part):
    """Change one mapping or list in one of the ways in which manifests change."""
    keys = list(part) if isinstance(part, dict) else list(range(len(part)))
    key = chance.choice([*keys, None])
    way = chance.choice(("scalar", "scalar", "more", "less", "order", "kind"))
    if key is not None and way == "scalar" and not isinstance(part[key], (dict, list)):
        part[key] = part[key] + 1 if isinstance(part[key], int) else chance.choice(("V1", "web", "7", "b", "q\nr\n"))
    elif key is not None and way == "less" and len(keys) > 1 and key != "name":
        del part[key]
    elif isinstance(part, list):
        new = {"name": "added", "value": "x"} if isinstance(part[0], dict) else "added"
        chance.shuffle(part) if way == "order" else part.insert(chance.choice((0, len(part))), new)
    elif way == "kind" and key in ("resources", "args", "words"):
        part[key] = {"a": ["b"]} if isinstance(part[key], list) else ["a"]
    else:
        entries = [*part.items()]
        entries.insert(chance.choice((0, len(entries), len(entries))), ("added", chance.choice(("x", {"a": "b"}))))
        part.clear()
        part.update(entries)


def edit(chance, item):
    """Return an item with up to three changes below `spec`, or with another text for its template."""
    value = copy.deepcopy(item.value)
    if chance.random() < 0.25:
        return swapped(chance, item)
    for _ in range(chance.randint(1, 3)):
        changed(chance, chance.choice([value["spec"], *parts(value["spec"])]))
    return item.edited(value)


def swapped(chance, item):
    """Return an item with another text for its template."""
    value = {"spec": {"template": template(chance)}}
    value["spec"] = item.value["spec"] | value["spec"]
    text = Author(chance, 0.3).mapping(value["spec"]["template"], 0)
    return item.edited(item.value | value, {TEMPLATE: text})


def fill(host, chance):
    """Write random objects into a package and have kpt lay them out; return what kpt sends for them, and the files."""
    for number in range(OBJECTS):
        text = Author(chance, chance.choice((0, 0.1, 0.2, 0.5))).document(manifest(chance, number))
        (host.package / f"{number:02}.yaml").write_text(text)
    host.run("cat")
    return host.recorded(), host.files()


def known(item):
    """Tell whether an item goes back under its ids."""
    return not item.value["metadata"].get("annotations", {}).keys().isdisjoint(IDS)


def document(item):
    """Return the text of an item as it should be in its file."""
    return item.edited(stripped(item.value)).at(None)


@pytest.mark.parametrize("seed", range(2))
def test_files_are_what_was_written(host, seed):
    """Whatever was edited, the file says what krmfn wrote: kpt adds, moves and restores nothing."""
    chance = random.Random(seed)  # noqa: S311 - a package, not a secret
    package, _ = fill(host, chance)
    items, files = host.edited(package, lambda item: edit(chance, item))

    assert {item.path: document(item) for item in items} == files
    assert 5 < sum(map(known, items)) < OBJECTS - 5


def test_a_template_comes_and_goes(host):
    """A template that was exchanged and comes back as the text it was leaves every file as it was, to the byte."""
    chance = random.Random(3)  # noqa: S311 - a package, not a secret
    package, before = fill(host, chance)
    excerpts = {item.path: item.excerpt(TEMPLATE) for item in package.items}
    values = {item.path: item.value["spec"] for item in package.items}
    _, between = host.edited(package, lambda item: swapped(chance, item))

    def back(item):
        return item.edited(item.value | {"spec": values[item.path]}, {TEMPLATE: excerpts[item.path]})

    assert all(between[path] != before[path] for path in before)
    assert before == host.edited(host.recorded(), back)[1]


GIVEN = """\
# licence

# about
apiVersion: v1
kind: ConfigMap
metadata:
  name: settings
data:
  list:
  - name: first # 1st
  - name: second
  text: x # why

# the end
"""
FIRST, SECOND = {"name": "first"}, {"name": "second"}
DATA = {"list": [FIRST, SECOND], "text": "x"}
SAFE = {
    "value": DATA | {"text": "new"},
    "key": {**DATA, "more": {"a": "b"}},
    "item": DATA | {"list": [FIRST, SECOND, {"name": "third"}]},
}


UNSAFE = {"order": DATA | {"list": [SECOND, FIRST]}, "front": {"more": 1, **DATA}}


def rewritten(host, edits, *, first):
    """Return what is in a file after each edit, all made by the very first run of kpt, or by one after another."""
    for name in edits:
        (host.package / name).with_suffix(".yaml").write_text(GIVEN.replace("settings", name))
    given = host.files() if first else host.run("cat")
    package = host.recorded()
    for name, text in given.items():
        (host.package / name).write_text(text)
    _, files = host.edited(package, lambda item: item.edited(item.value | {"data": edits[item.ref.name]}))
    return {name: files[name + ".yaml"] for name in edits}


@pytest.mark.parametrize("first", [True, False])
def test_detached_comments_survive_what_changes_no_order(host, first):
    """What stands above a blank line, or below one at the end, never reaches a function, and is still there."""
    texts = rewritten(host, SAFE, first=first)

    assert dict.fromkeys(SAFE, ("# licence\n", "\n\n# the end\n")) == {
        name: (text[:10], text[-12:]) for name, text in texts.items()
    }
    assert {name: krm.load(text)["data"] for name, text in texts.items()} == SAFE


@pytest.mark.parametrize(("first", "header"), [(True, "# about\n"), (False, "# licence\n# about\n")])
def test_detached_headers_need_one_run_before_all_else(host, first, header):
    """Where kpt could undo an edit, only a header is kept that an earlier run has put onto the object, and no end."""
    texts = rewritten(host, UNSAFE, first=first)

    assert dict.fromkeys(UNSAFE, header) == {name: text.partition("api")[0] for name, text in texts.items()}
    assert texts["order"].endswith("  list:\n  - name: second\n  - name: first\n  text: x # why\n")
    assert texts["front"].endswith(
        "data:\n  more: 1\n  list:\n  - name: first # 1st\n  - name: second\n  text: x # why\n"
    )
