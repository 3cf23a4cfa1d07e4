"""Manifests at a revision of Git."""

import subprocess

import pytest

from krmfn import git
from krmfn.errors import KrmfnError
from tests.echoserver import APP, ROLLOUT, write


@pytest.fixture(name="repository")
def _repository(tmp_path, environment, monkeypatch):
    """A repository with two commits, of which the first holds version 1.0 in the folder shop; ``git(...)`` runs git."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    def run(*arguments):
        subprocess.run(["git", "-C", str(tmp_path), *arguments], check=True, capture_output=True)

    write(tmp_path / "shop", ignored__yaml="x: 1", _krmignore="")
    (tmp_path / "shop" / ".krmignore").write_text("ignored.yaml\n")
    (tmp_path / "shop" / "link.yaml").symlink_to("app.yaml")
    run("init", "--quiet", "--initial-branch=main")
    run("add", ".")
    run("commit", "--quiet", "--message=one")
    run("tag", "v1")
    (tmp_path / "shop" / "app.yaml").write_text(APP.replace("echo:1.0", "echo:1.1"))
    (tmp_path / "shop" / "new.yaml").write_text("kind: New")
    run("add", ".")
    run("commit", "--quiet", "--message=two")
    return tmp_path


EXPECTED = [("app.yaml", APP.encode()), ("rollout.yaml", ROLLOUT.encode())]


@pytest.mark.parametrize("revision", ["v1", "HEAD~1", "main^"])
def test_a_folder_is_read_as_it_was(repository, revision):
    """The files of a folder at any name of a revision are the manifests of that time, without what was ignored then."""
    assert EXPECTED == git.read(str(repository / "shop"), revision)


def test_a_file_is_read_as_it_was(repository):
    """A single file at a revision is that file alone."""
    assert EXPECTED[:1] == git.read(str(repository / "shop" / "app.yaml"), "v1")


def test_the_top_of_a_repository_is_read(repository, monkeypatch):
    """The whole repository can be asked for, from inside of it and by a relative path."""
    monkeypatch.chdir(repository)

    assert ["shop/app.yaml", "shop/rollout.yaml"] == [name for name, _ in git.read(".", "v1")]
    assert EXPECTED[:1] == git.read("shop/app.yaml", "v1")


def test_a_hook_of_git_can_ask(repository, monkeypatch):
    """What git tells its hooks does not lead to another folder or repository."""
    monkeypatch.setenv("GIT_DIR", ".git")
    monkeypatch.setenv("GIT_INDEX_FILE", ".git/index")

    assert EXPECTED == git.read(str(repository / "shop"), "v1")


@pytest.mark.parametrize("revision", ["v9", "", "--help", "-v1", "v1:shop", "HEAD:"])
def test_an_unknown_revision_is_an_error(repository, revision):
    """A revision that is not there is named, and never taken for an option or a path."""
    with pytest.raises(KrmfnError, match=f"'{revision}' is no revision of the Git repository"):
        git.read(str(repository / "shop"), revision)


def test_a_path_that_was_not_there_is_an_error(repository):
    """A file that is newer than the revision, and a folder that had no manifests, are each said in words."""
    with pytest.raises(KrmfnError, match=r"new\.yaml is not there at Git revision 'v1'"):
        git.read(str(repository / "shop" / "new.yaml"), "v1")
    (repository / "empty").mkdir()
    with pytest.raises(KrmfnError, match="empty is not there at Git revision 'HEAD'"):
        git.read(str(repository / "empty"), "HEAD")


def test_a_folder_without_manifests_is_an_error(repository, environment):
    """A folder whose files of that time are no manifests is said in words."""
    (repository / "docs").mkdir()
    (repository / "docs" / "a.txt").write_text("a")
    subprocess.run(["git", "-C", str(repository), "add", "."], check=True, env=environment)
    subprocess.run(["git", "-C", str(repository), "commit", "--quiet", "-m", "docs"], check=True, env=environment)

    with pytest.raises(KrmfnError, match="docs has no manifest at Git revision 'HEAD'"):
        git.read(str(repository / "docs"), "HEAD")


def test_no_repository_is_an_error(tmp_path):
    """A path outside of any repository is said to be."""
    write(tmp_path)

    with pytest.raises(KrmfnError, match="is not in a Git repository"):
        git.read(str(tmp_path), "HEAD")


def test_git_says_what_else_is_wrong(repository):
    """Other troubles of git are told in its own words."""
    (repository / ".git" / "config").write_text("[broken")

    with pytest.raises(KrmfnError, match="git: fatal: bad config"):
        git.read(str(repository / "shop"), "HEAD")


def test_no_git_is_an_error(tmp_path, monkeypatch):
    """A machine without git is told so."""
    write(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(KrmfnError, match="git is not installed"):
        git.read(str(tmp_path), "HEAD")
