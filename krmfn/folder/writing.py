"""How files are written: all of them or none, each replaced in one move, and nothing of anybody else's touched.

A folder that krmfn renders into holds an index of the files that krmfn wrote there. It is what says which files may be
replaced, and which may be removed once they no longer belong.
"""

import os
from contextlib import suppress

from krmfn.errors import KrmfnError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

INDEX = ".krmfn"
_HEAD = "# The files that krmfn wrote here; it removes those that no longer belong. Keep this file beside them.\n"


def into(folder: str, files: "Mapping[str, bytes]", source: str) -> None:
    """Make ``folder`` hold ``files`` (by name), and remove those of an earlier run that are not among them.

    ``source`` is what was rendered. Raises KrmfnError, with nothing written, where that is in the way, or a file that
    krmfn did not write.
    """
    _check_place(folder, source)
    known = _index(folder)
    for name in (*files, *known):
        _check_name(folder, name)
    _check_theirs(folder, files, known)
    stale = [name for name in known if name not in files]
    # The index names a file before it is there and until it is gone: a run that is cut short leaves nothing unknown.
    rewrite(folder, {INDEX: _listed({*files, *known}), **files, **dict.fromkeys(stale)})
    rewrite(folder, {INDEX: _listed(files)})


def stale(folder: str, files: "Mapping[str, bytes | None]", *, whole: bool = True) -> list[str]:
    """Return the names of files that writing them would change; ``whole`` where the folder would hold nothing else."""
    gone = [name for name in _index(folder) if name not in files] if whole else []
    return sorted([name for name, data in files.items() if data != _content(os.path.join(folder, name))] + gone)


def rewrite(folder: str, files: "Mapping[str, bytes | None]") -> None:
    """Write every file that differs from what is there; None removes it. Raises KrmfnError, with nothing written."""
    paths = {os.path.realpath(os.path.join(folder, name)): data for name, data in files.items()}
    drafts = {path: _draft(path) for path, data in paths.items() if data not in (None, _content(path))}
    try:
        for path, draft in drafts.items():
            _write(draft, paths[path] or b"", like=path)
        for path, draft in drafts.items():
            os.replace(draft, path)
    except OSError as problem:
        raise KrmfnError(f"{problem.filename}: cannot be written: {problem.strerror}") from problem
    finally:
        for draft in drafts.values():
            with suppress(OSError):
                os.remove(draft)
    for path, data in paths.items():
        if data is None:
            _remove(path, os.path.realpath(folder))


def _draft(path: str) -> str:
    """Return a name beside a file: on the same file system, and hidden from whoever reads the folder."""
    return os.path.join(os.path.dirname(path), f".{os.path.basename(path)}.{os.getpid()}.krmfn")


def _write(draft: str, data: bytes, *, like: str) -> None:
    """Write a draft, with the rights of the file whose place it takes."""
    os.makedirs(os.path.dirname(draft), exist_ok=True)
    with open(draft, "wb") as file:
        file.write(data)
    if os.path.exists(like):
        os.chmod(draft, os.stat(like).st_mode & 0o7777)


def _remove(path: str, top: str) -> None:
    """Remove a file, and the folders that it leaves empty."""
    with suppress(OSError):
        os.remove(path)
        folder = os.path.dirname(path)
        while folder.startswith(f"{top}{os.sep}"):
            os.rmdir(folder)
            folder = os.path.dirname(folder)


def _check_place(folder: str, source: str) -> None:
    target, origin = os.path.realpath(folder), os.path.realpath(source)
    if os.path.exists(target) and not os.path.isdir(target):
        raise KrmfnError(f"{folder}: is a file; -o takes a folder")
    if target == origin or target.startswith(f"{origin}{os.sep}"):
        raise KrmfnError(
            f"{folder}: is in the folder that is rendered, so the next run would read it; choose another one"
        )


def _check_name(folder: str, name: str) -> None:
    """Refuse a name that leads out of the folder, or that no index can hold."""
    top = os.path.realpath(folder)
    path = os.path.realpath(os.path.join(top, name))
    if not path.startswith(f"{top}{os.sep}") or not name.isprintable():
        raise KrmfnError(f"{name!r}: is no name for a file inside {folder}")


def _check_theirs(folder: str, files: "Mapping[str, bytes]", known: "Iterable[str]") -> None:
    for name, data in files.items():
        there = _content(os.path.join(folder, name))
        if name not in known and there not in (None, data):
            path = os.path.join(folder, name)
            raise KrmfnError(f"{path}: is there and was not written by krmfn; remove it, or choose another folder")


def _listed(names: "Iterable[str]") -> bytes:
    return (_HEAD + "".join(f"{name}\n" for name in sorted(names))).encode()


def _index(folder: str) -> list[str]:
    text = _content(os.path.join(folder, INDEX)) or b""
    lines = text.decode(errors="replace").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def _content(path: str) -> bytes | None:
    """Return what is in a file; None where there is none. Raises KrmfnError for what is no file."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return None
    except OSError as problem:
        raise KrmfnError(f"{path}: cannot be read: {problem.strerror}") from problem
