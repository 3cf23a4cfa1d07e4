"""Which files are read, and that writing touches nothing of anybody else's."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from krmfn import folder, krm
from krmfn.errors import KrmfnError
from tests.echoserver import contents, write

IGNORED = {
    "build": ("build", "a/build", "build/x.yaml"),
    "build/": ("build/x.yaml", "a/build/x.yaml"),
    "/top.yaml": ("top.yaml",),
    "*.tmp.yaml": ("a.tmp.yaml", "x/b.tmp.yaml"),
    "a/*/c.yaml": ("a/b/c.yaml",),
    "a/**/c.yaml": ("a/c.yaml", "a/b/c.yaml", "a/b/b/c.yaml"),
    "**/c.yaml": ("c.yaml", "a/b/c.yaml"),
    "a/**": ("a/c.yaml", "a/b/c.yaml"),
    "[ab]?.yaml": ("a1.yaml", "x/b2.yaml"),
    "[!a].yaml": ("b.yaml",),
    "\\!odd.yaml": ("!odd.yaml",),
    "[]a-]x": ("]x", "ax", "-x"),
    "[^a]x": ("bx",),
    "\\#odd.yaml": ("#odd.yaml",),
}
KEPT = {
    "build/": ("build", "builds/x.yaml"),
    "/top.yaml": ("a/top.yaml",),
    "*.tmp.yaml": ("tmp.yaml",),
    "a/*/c.yaml": ("a/c.yaml", "a/b/b/c.yaml", "x/a/b/c.yaml"),
    "a/**": ("a", "b/a/c.yaml"),
    "[ab]?.yaml": ("a.yaml", "c1.yaml"),
    "[!a].yaml": ("a.yaml",),
    "# build": ("build", "# build"),
    "": ("build",),
    "[]": ("a",),
    "[z-a]": ("a", "z"),
    "a[!b]c": ("a/c",),
}
CASES = [(rule, name, out) for table, out in ((IGNORED, True), (KEPT, False)) for rule in table for name in table[rule]]


def left(names, rules, place=".krmignore"):
    """Return the names that are read where a .krmignore holds the rules."""
    suffixed = {name if name.endswith(".yaml") else f"{name}.yaml": name for name in names}
    return folder.chosen([*suffixed, place], lambda _: rules.encode())


@pytest.mark.parametrize(("rule", "name", "out"), CASES)
def test_krmignore_reads_like_gitignore(rule, name, out):
    """Each form of a pattern leaves out what gitignore(5) says it does."""
    from krmfn.folder import ignore

    assert out is ignore.ignored(name, [ignore.parse("", rule)])


def test_the_last_rule_wins():
    """A later rule that begins with an exclamation mark takes a file back in, unless its folder is left out."""
    rules = "*.yaml\n!keep.yaml\nbuild/\n!build/keep.yaml\n"

    assert ["keep.yaml", "x/keep.yaml"] == left(["keep.yaml", "other.yaml", "x/keep.yaml", "build/keep.yaml"], rules)


def test_a_krmignore_holds_where_it_stands():
    """A .krmignore in a folder says nothing about the folders beside it."""
    assert ["a.yaml", "y/a.yaml"] == left(["a.yaml", "x/a.yaml", "y/a.yaml"], "a.yaml", "x/.krmignore")


@given(st.lists(st.from_regex(r"[ab.*?!\[\]/\\#-]{0,8}", fullmatch=True), max_size=4), st.from_regex(r"[ab]/[ab]{1,3}"))
def test_any_krmignore_can_be_read(rules, name):
    """No text in a .krmignore is an error, however odd its patterns are."""
    from krmfn.folder import ignore

    assert ignore.ignored(name, [ignore.parse("", "\n".join(rules))]) in {True, False}


def test_reading_is_in_order_and_leaves_out_what_is_hidden(tmp_path):
    """Every manifest at any depth is read, in the order of the names, and no hidden file or folder is."""
    for name in ("b.yaml", "a/z.yml", "a/b/c.json", ".git/x.yaml", ".x.yaml", "notes.txt", "c.yaml~"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)

    assert [("a/b/c.json", b"a/b/c.json"), ("a/z.yml", b"a/z.yml"), ("b.yaml", b"b.yaml")] == folder.read(str(tmp_path))


def test_reading_nothing_is_an_error(tmp_path):
    """A path that is not there, and a folder without manifests, are each said in words."""
    write(tmp_path / "shop")
    (tmp_path / "empty").mkdir()

    with pytest.raises(KrmfnError, match=r"no such file or folder; did you mean .*/shop\?"):
        folder.read(str(tmp_path / "shopp"))
    with pytest.raises(KrmfnError, match=r"there is no manifest in this folder \(\*.yaml, \*.yml, \*.json\)"):
        folder.read(str(tmp_path / "empty"))


def test_a_broken_link_is_an_error(tmp_path):
    """A manifest that cannot be read is never silently left out."""
    (tmp_path / "a.yaml").symlink_to("nowhere")

    with pytest.raises(KrmfnError, match=r"a\.yaml: cannot be read: No such file"):
        folder.read(str(tmp_path))


def test_files_of_an_earlier_run_are_removed(tmp_path):
    """What krmfn wrote and no longer writes is removed, with the folders that it leaves empty, and nothing else is."""
    out = tmp_path / "out"
    folder.into(str(out), {"a.yaml": b"1", "x/y/b.yaml": b"2", "x/c.yaml": b"3"}, "src")
    (out / "mine.yaml").write_text("mine")

    folder.into(str(out), {"a.yaml": b"4", "x/c.yaml": b"3"}, "src")

    index = contents(out).pop(".krmfn").splitlines()[1:]
    assert ["a.yaml", "x/c.yaml"] == index
    assert {"a.yaml": "4", "mine.yaml": "mine", "x/c.yaml": "3"} == {
        k: v for k, v in contents(out).items() if k != ".krmfn"
    }
    assert not (out / "x" / "y").exists()


def test_files_of_others_are_not_replaced(tmp_path):
    """A file that krmfn did not write stops the run before anything is written; one that says the same does not."""
    (tmp_path / "a.yaml").write_text("theirs")
    (tmp_path / "b.yaml").write_text("same")

    with pytest.raises(KrmfnError, match=r"a\.yaml: is there and was not written by krmfn"):
        folder.into(str(tmp_path), {"0.yaml": b"0", "a.yaml": b"ours", "b.yaml": b"same"}, "src")

    assert {"a.yaml": "theirs", "b.yaml": "same"} == contents(tmp_path)


@pytest.mark.parametrize("name", ["../a.yaml", "/etc/krmfn-a.yaml", "x/../../a.yaml", "a\nb.yaml", "."])
def test_names_do_not_lead_out_of_the_folder(tmp_path, name):
    """Neither a name in the package nor one in the index reaches a file outside the folder."""
    victim = tmp_path / "a.yaml"
    victim.write_text("theirs")
    out = tmp_path / "out"
    out.mkdir()

    with pytest.raises(KrmfnError, match="is no name for a file inside"):
        folder.into(str(out), {name: b""}, "src")
    if "\n" not in name:
        (out / ".krmfn").write_text(f"{name}\n")
        with pytest.raises(KrmfnError, match="is no name for a file inside"):
            folder.into(str(out), {"b.yaml": b""}, "src")
    assert victim.read_text() == "theirs"


@pytest.mark.parametrize("place", ["src", "src/out", "src/deep/out", "link"])
def test_the_folder_is_not_the_one_that_is_rendered(tmp_path, place):
    """Rendering into what is rendered, or a folder inside it, is refused, also by way of a link."""
    write(tmp_path / "src")
    (tmp_path / "link").symlink_to("src")

    with pytest.raises(KrmfnError, match="is in the folder that is rendered"):
        folder.into(str(tmp_path / place), {"z.yaml": b""}, str(tmp_path / "src"))


def test_the_folder_is_no_file(tmp_path):
    """A file where the folder should be is said in words."""
    (tmp_path / "out").write_text("")

    with pytest.raises(KrmfnError, match="is a file; -o takes a folder"):
        folder.into(str(tmp_path / "out"), {"z.yaml": b""}, "src")


def test_rewriting_touches_only_what_changes(tmp_path):
    """A file with the same bytes is not touched, and one that changes keeps its rights."""
    write(tmp_path)
    (tmp_path / "app.yaml").chmod(0o640)
    before = {name: os.stat(tmp_path / name).st_mtime_ns for name in ("app.yaml", "rollout.yaml")}

    folder.rewrite(str(tmp_path), {"app.yaml": b"new", "rollout.yaml": (tmp_path / "rollout.yaml").read_bytes()})

    after = os.stat(tmp_path / "app.yaml")
    assert "new" == (tmp_path / "app.yaml").read_text()
    assert 0o640 == after.st_mode & 0o777
    assert before["rollout.yaml"] == os.stat(tmp_path / "rollout.yaml").st_mtime_ns


def test_rewriting_follows_links(tmp_path):
    """A file that is a link stays one, and what it points to is written."""
    (tmp_path / "real").write_text("old")
    (tmp_path / "app.yaml").symlink_to("real")

    folder.rewrite(str(tmp_path), {"app.yaml": b"new"})

    assert ("new", True) == ((tmp_path / "real").read_text(), (tmp_path / "app.yaml").is_symlink())


def test_nothing_is_written_when_one_file_cannot_be(tmp_path):
    """Where one file cannot be written, all others stay as they were and no draft is left behind."""
    write(tmp_path)
    before = contents(tmp_path)

    with pytest.raises(KrmfnError, match=r"cannot be (written|read)"):
        folder.rewrite(str(tmp_path), {"app.yaml": b"new", "rollout.yaml/impossible.yaml": b"new"})

    assert before == contents(tmp_path)


def items(*names):
    """Return items with the given apiVersion, kind, namespace and name."""
    metadata = [{"name": name} | ({"namespace": namespace} if namespace else {}) for *_, namespace, name in names]
    return [krm.new({"apiVersion": n[0], "kind": n[1], "metadata": m}) for n, m in zip(names, metadata, strict=True)]


def test_one_object_a_file_is_named_after_the_object():
    """Names come from kind, namespace and name; what would be called the same is told apart by group, then number."""
    found = items(
        ("apps/v1", "Deployment", "", "web"),
        ("v1", "Service", "shop", "web"),
        ("serving.knative.dev/v1", "Service", "shop", "web"),
        ("v1", "Service", "shop", "web"),
        ("rbac.authorization.k8s.io/v1", "ClusterRole", "", "system:web/../x"),
        ("rbac.authorization.k8s.io/v1", "ClusterRole", "", "System:web_.._x"),
    )

    assert [
        "deployment-web.yaml",
        "shop/service-web.yaml",
        "shop/service.serving.knative.dev-web.yaml",
        "shop/service-web-2.yaml",
        "clusterrole-system_web_.._x.yaml",
        "clusterrole.rbac.authorization.k8s.io-System_web_.._x.yaml",
    ] == list(folder.one_per_file(found))


def test_one_object_a_file_keeps_every_object(tmp_path):
    """No object is lost on a file system that does not tell capital letters apart."""
    found = folder.one_per_file(items(*[("v1", "ConfigMap", "", name) for name in ("a", "A", "a", "a", "A")]))

    assert 5 == len({name.lower() for name in found})
    assert Path(tmp_path).is_dir()
