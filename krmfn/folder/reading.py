"""Which files of a folder are manifests, and what is in them."""

import os

from krmfn.errors import KrmfnError
from krmfn.folder import ignore

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

SUFFIXES = (".yaml", ".yml", ".json")


def read(path: str) -> list[tuple[str, bytes]]:
    """Return (name, bytes) of a file, or of every manifest in a folder and below; names are relative to ``path``.

    Raises KrmfnError where there is none, or one cannot be read.
    """
    if not os.path.exists(path):
        raise KrmfnError(f"{path}: there is no such file or folder{_hint(path)}")
    if not os.path.isdir(path):
        return [(os.path.basename(path), _bytes(path))]
    names = chosen(_names(path), lambda name: _bytes(os.path.join(path, name)))
    if not names:
        raise KrmfnError(f"{path}: there is no manifest in this folder ({', '.join('*' + s for s in SUFFIXES)})")
    return [(name, _bytes(os.path.join(path, name))) for name in names]


def chosen(names: "Iterable[str]", content: "Callable[[str], bytes]") -> list[str]:
    """Return the names that are manifests, in order: nothing hidden, and nothing that a ``.krmignore`` leaves out."""
    there = sorted(names, key=lambda name: name.split("/"))
    files = [
        ignore.parse(name.rpartition("/")[0], content(name).decode(errors="replace"))
        for name in there
        if name.rpartition("/")[2] == ignore.NAME
    ]
    files.sort(key=lambda file: file.folder.count("/") + bool(file.folder))
    return [name for name in there if _is_manifest(name) and not ignore.ignored(name, files)]


def _is_manifest(name: str) -> bool:
    hidden = any(part.startswith(".") for part in name.split("/"))
    return name.endswith(SUFFIXES) and not hidden


def _names(path: str) -> "Iterator[str]":
    def fail(problem: OSError) -> None:
        raise KrmfnError(f"{problem.filename}: cannot be read: {problem.strerror}") from problem

    for folder, folders, files in os.walk(path, onerror=fail):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in files:
            yield os.path.relpath(os.path.join(folder, name), path).replace(os.sep, "/")


def _bytes(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as problem:
        raise KrmfnError(f"{path}: cannot be read: {problem.strerror}") from problem


def _hint(path: str) -> str:
    """Name what stands beside it and is spelt nearly so."""
    import difflib

    folder, name = os.path.split(path.rstrip("/"))
    there = os.listdir(folder or ".") if os.path.isdir(folder or ".") else []
    near = difflib.get_close_matches(name, there, 1)
    return f"; did you mean {os.path.join(folder, near[0])}?" if near else ""
