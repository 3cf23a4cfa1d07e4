"""Finding scripts and their cases, and trying each case in the way of its layout."""

import os

from krmfn.cases import controller, provider
from krmfn.cases.verdict import BARE, Verdict, refused
from krmfn.errors import KrmfnError
from krmfn.lua import FEATURES, Script
from krmfn.lua.script import CUSTOM, INGRESS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Try = Callable[[str, str], Verdict]

OURS, CASES = "render.lua", "cases"
THEIRS, CLASSES, BESIDE = "trafficRouting.lua", "trafficrouting_ingress", "testdata"
LUA, YAML = ".lua", (".yaml", ".yml")


def verdicts(directory: str) -> "Iterator[Verdict]":
    """Yield how each case in a directory and below it ends, and each script that has none, in order."""
    for home, folders, names in os.walk(directory):
        folders.sort()
        if OURS in names:
            yield from _ours(os.path.join(home, OURS), directory)
        if THEIRS in names:
            yield from _theirs(os.path.join(home, THEIRS), directory)
        if os.path.basename(os.path.abspath(home)) == CLASSES:
            yield from _classes(home, directory)


def _ours(path: str, top: str) -> "Iterator[Verdict]":
    files = _files(os.path.join(os.path.dirname(path), CASES), YAML)
    for file in files:
        yield _tried(file, top, lambda case, text: provider.verdict(case, text, (_name(path, top), _text(path))))
    if not files:
        yield Verdict(_name(path, top), BARE)


def _theirs(path: str, top: str) -> "Iterator[Verdict]":
    files = _files(os.path.join(os.path.dirname(path), BESIDE), YAML)
    for file in files:
        yield _tried(file, top, lambda case, text: controller.read(case, text).verdict(_script(path, top, CUSTOM)))
    if not files:
        yield Verdict(_name(path, top), BARE)


def _classes(home: str, top: str) -> "Iterator[Verdict]":
    """Try the cases of a folder, each with the script of its class; then name the scripts that no case was for."""
    paths = {os.path.basename(path).removesuffix(LUA): path for path in _files(home, (LUA,))}
    used = set()

    def verdict(name: str, text: str) -> Verdict:
        case = controller.read(name, text)
        if case.variant not in paths:
            raise KrmfnError(f"is for the class {case.variant!r}; there are scripts for {', '.join(paths) or 'none'}")
        used.add(case.variant)
        return case.verdict(_script(paths[case.variant], top, INGRESS))

    for file in _files(os.path.join(home, BESIDE), YAML):
        yield _tried(file, top, verdict)
    for variant, path in paths.items():
        if variant not in used:
            yield Verdict(_name(path, top), BARE)


def _tried(path: str, top: str, work: "Try") -> Verdict:
    name = _name(path, top)
    try:
        return work(name, _text(path))
    except KrmfnError as problem:
        return refused(name, problem)


def _script(path: str, top: str, shape: str) -> Script:
    """Read somebody's script. It is handed the whole stage, since nobody knows what it can express."""
    return Script(_name(path, top), _text(path), frozenset(FEATURES), trusted=False, shape=shape)


def _files(folder: str, endings: tuple[str, ...]) -> list[str]:
    names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    return [os.path.join(folder, name) for name in names if name.endswith(endings)]


def _name(path: str, top: str) -> str:
    return os.path.relpath(path, top).replace(os.sep, "/")


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except (OSError, UnicodeDecodeError) as problem:
        raise KrmfnError(f"{path}: cannot be read: {problem}") from problem
