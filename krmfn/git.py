"""Manifests as they stand in Git at a revision."""

import os

from krmfn import programs
from krmfn.errors import KrmfnError
from krmfn.folder import chosen
from krmfn.programs import Failed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

SCHEME = "git:"
# A hook of Git's runs with these set; what is asked here is about the folder, whoever asks.
_OF_HOOKS = ("GIT_DIR", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_WORK_TREE")
_FILES = (b"100644", b"100755")


def read(path: str, revision: str) -> list[tuple[str, bytes]]:
    """Return (name, bytes) of what ``path`` was at a revision: a file, or the manifests of a folder and below.

    Raises KrmfnError where ``path`` is in no repository, the revision is unknown, or nothing was there at that time.
    """
    folder = path if os.path.isdir(path) else os.path.dirname(path) or "."
    inside = "" if os.path.isdir(path) else os.path.basename(path)
    prefix = _prefix(folder, path) + inside
    _check_revision(folder, revision)
    try:
        found = _git(folder, "rev-parse", "--verify", "--quiet", f"{revision}:{prefix.rstrip('/')}").decode().strip()
    except Failed as problem:
        raise KrmfnError(f"{path} is not there at Git revision {revision!r}") from problem
    files = {inside: found} if _git(folder, "cat-file", "-t", found).strip() == b"blob" else _tree(folder, found)
    content = dict(zip(files, _blobs(folder, list(files.values())), strict=True))
    names = [inside] if inside in files else chosen(files, content.__getitem__)
    if not names:
        raise KrmfnError(f"{path} has no manifest at Git revision {revision!r}")
    return [(name, content[name]) for name in names]


def place(folder: str) -> str:
    """Return where a folder, which need not be there yet, stands in its repository; outside of one, its path from here.

    Raises KrmfnError where Git cannot be asked.
    """
    there = os.path.realpath(folder)
    while not os.path.isdir(there):
        there = os.path.dirname(there)
    try:
        top = _git(there, "rev-parse", "--show-toplevel").decode().rstrip("\n")
    except Failed:
        top = os.getcwd()
    return os.path.relpath(os.path.realpath(folder), os.path.realpath(top)).replace(os.sep, "/")


def _prefix(folder: str, path: str) -> str:
    """Return where a folder stands in its repository: "" for the top, else with a slash at the end."""
    try:
        return _git(folder, "rev-parse", "--show-prefix").decode().rstrip("\n")
    except Failed as problem:
        known = "not a git repository" in problem.says
        message = f"{path} is not in a Git repository" if known else f"git: {problem.says}"
        raise KrmfnError(message) from problem


def _check_revision(folder: str, revision: str) -> None:
    try:
        # One that begins with a dash would be an option of git's.
        _git(folder, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}" if revision[:1] != "-" else "")
    except Failed as problem:
        raise KrmfnError(f"{revision!r} is no revision of the Git repository; try HEAD, a branch or a tag") from problem


def _tree(folder: str, tree: str) -> dict[str, str]:
    """Return the files of a tree: name to object. Links and submodules are no files."""
    found = {}
    for line in _git(folder, "ls-tree", "-r", "-z", "--full-tree", tree).split(b"\0"):
        facts, _, name = line.partition(b"\t")
        if name and facts.startswith(_FILES):
            found[os.fsdecode(name)] = facts.split()[2].decode()
    return found


def _blobs(folder: str, objects: "Sequence[str]") -> list[bytes]:
    """Return the contents of objects, in one run of git."""
    output = _git(folder, "cat-file", "--batch", given="".join(f"{name}\n" for name in objects).encode())
    found, place = [], 0
    for _ in objects:
        end = output.index(b"\n", place)
        size = int(output[place:end].split()[2])
        found.append(output[end + 1 : end + 1 + size])
        place = end + size + 2
    return found


def _git(folder: str, *arguments: str, given: bytes = b"") -> bytes:
    environment = {k: v for k, v in os.environ.items() if k not in _OF_HOOKS}
    return programs.run(["git", "-C", folder, *arguments], "a revision of Git was asked for", environment, given)
