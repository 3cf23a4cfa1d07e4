"""The rules of the house, so that review can be about ideas."""

import ast
import os
import re
import statistics
import subprocess
import sys
import sysconfig
import tomllib
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest

from tools.bench import corpus

ROOT = Path(__file__).parent.parent
PACKAGE = sorted((ROOT / "krmfn").rglob("*.py"))
CODE = sorted(path for folder in ("krmfn", "tools", "tests") for path in (ROOT / folder).rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("test_*.py"))

PRODUCTS = re.compile(r"(?i)kruise|\bargo|flagger|kubevela")
AT_HOME_IN = re.compile(r"krmfn/(dialects/|kinds|lua/)")
EMPTY_NAMES = {"utils", "util", "helpers", "helper", "common", "base", "misc", "manager", "types"}

DOORS = {
    "yaml": r"krmfn/krm/",
    "ruamel": r"krmfn/krm/",
    "lupa": r"krmfn/lua/",
    "click": r"krmfn/cli(\.py|/)",
    "subprocess": r"krmfn/programs\.py",
}

# Each costs as much as starting Python does, or more; the function is started once per run.
DEAR = {
    "argparse",
    "click",
    "dataclasses",
    "json",
    "logging",
    "lupa",
    "pathlib",
    "ruamel",
    "subprocess",
    "typing",
}

# Places that exist on one machine only (not that of every Argo CD), and settings that name a package registry.
FOREIGN = re.compile(
    r"""(?<![\w.$})-])/(?:work|root|home(?!/argocd)|tmp|opt/wheels)/\w|--index[-]url|GOPROX[Y]=|registry[=]http"""
)


def name(path: Path) -> str:
    """Return a path as people say it, from the top of the repository."""
    return path.relative_to(ROOT).as_posix()


def tree(path: Path) -> ast.Module:
    """Parse a module."""
    return ast.parse(path.read_text())


def functions(module: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Find every function of a module, methods and inner ones too."""
    return (node for node in ast.walk(module) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Count the lines of a function without its docstring."""
    first = function.body[0]
    said = first.end_lineno - first.lineno + 1 if ast.get_docstring(function) else 0
    return function.end_lineno - function.lineno + 1 - said


def imports(module: ast.Module) -> set[str]:
    """Find the top-level names of everything that a module imports, lazily or not."""
    nodes = list(ast.walk(module))
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    inside = {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom) and not node.level}
    return {imported.partition(".")[0] for imported in plain | inside}


def text_files() -> list[Path]:
    """Find every text file that is, or is about to be, part of the repository."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout.split("\0")
    files = [ROOT / path for path in listed if path and (ROOT / path).is_file()]
    return [path for path in files if b"\0" not in path.read_bytes()[:8000]]


@pytest.mark.parametrize("path", PACKAGE, ids=name)
def test_modules_are_short(path):
    """A module fits into one head: at most 250 lines."""
    assert len(path.read_text().splitlines()) <= 250


@pytest.mark.parametrize("path", PACKAGE, ids=name)
def test_functions_are_short(path):
    """A function fits on one screen: at most 40 lines without its docstring."""
    assert [] == [f"{function.name}: {length(function)}" for function in functions(tree(path)) if length(function) > 40]


def test_functions_are_mostly_very_short():
    """Half of all functions have at most eight lines."""
    assert statistics.median(length(function) for path in PACKAGE for function in functions(tree(path))) <= 8


@pytest.mark.parametrize("path", CODE, ids=name)
def test_modules_say_what_they_are(path):
    """Every module opens with a docstring, and none is called by a word that says nothing."""
    module = tree(path)

    assert ast.get_docstring(module) or not module.body
    assert path.stem not in EMPTY_NAMES


@pytest.mark.parametrize("path", PACKAGE, ids=name)
def test_products_are_named_in_their_places_only(path):
    """The names of products appear only where products are told apart: dialects, kinds and Lua."""
    lines = [] if AT_HOME_IN.match(name(path)) else path.read_text().splitlines()

    assert [] == [f"{number}: {line.strip()}" for number, line in enumerate(lines, 1) if PRODUCTS.search(line)]


@pytest.mark.parametrize("path", PACKAGE, ids=name)
def test_every_dependency_has_one_door(path):
    """YAML, Lua, click and other programs are each reached through one place."""
    assert [] == [door for door in imports(tree(path)) & DOORS.keys() if not re.match(DOORS[door], name(path))]


@pytest.mark.parametrize("path", TESTS, ids=name)
def test_tests_make_a_promise(path):
    """Every test says in one sentence what it promises."""
    tests = [function for function in functions(tree(path)) if function.name.startswith("test_")]
    said = {test.name: " ".join((ast.get_docstring(test) or "").split()) for test in tests}

    assert {} == {test: promise for test, promise in said.items() if not re.fullmatch(r"[^.!?].*[.!?]", promise)}
    assert {} == {test: promise for test, promise in said.items() if re.search(r"[.!?] [A-Z]", promise)}


@pytest.mark.parametrize("path", text_files(), ids=name)
def test_files_work_on_any_machine(path):
    """No file names a place of one machine or the address of a package registry."""
    lines = path.read_text(errors="replace").splitlines()

    assert [] == [f"{number}: {line.strip()}" for number, line in enumerate(lines, 1) if FOREIGN.search(line)]


def test_ignored_rules_have_reasons():
    """At most twenty rules of ruff are ignored everywhere, each with its reason beside it."""
    text = (ROOT / "pyproject.toml").read_text()
    ignored = tomllib.loads(text)["tool"]["ruff"]["lint"]["ignore"]

    assert len(ignored) <= 20
    assert [] == [rule for rule in ignored if not re.search(rf'"{rule}", +# \S', text)]


def told(code: str, given: str = "") -> str:
    """Run code in a new process without site packages' start-up hooks; return the last line on standard error."""
    paths = os.pathsep.join([str(ROOT), sysconfig.get_path("purelib"), sysconfig.get_path("platlib")])
    environment = {**os.environ, "PYTHONPATH": paths}
    command = [sys.executable, "-S", "-c", code]
    done = subprocess.run(command, env=environment, input=given, capture_output=True, check=True, text=True)
    return done.stderr.splitlines()[-1]


def loaded(module: str) -> set[str]:
    """Import ``module`` and return what that loaded."""
    code = f"import sys; old = set(sys.modules); import {module}; print('', *set(sys.modules) - old, file=sys.stderr)"
    return {imported.partition(".")[0] for imported in told(code).split()}


@pytest.mark.parametrize("module", [p.stem for p in PACKAGE if p.parent.name == "krmfn" and p.stem != "cli"])
def test_starting_is_cheap(module):
    """No module of the function's path loads anything that takes as long as starting Python."""
    assert set() == loaded(f"krmfn.{module}".removesuffix(".__init__")) & DEAR


def test_a_run_of_the_function_is_cheap():
    """A whole run loads no command line, no ruamel.yaml, no `re`, and of PyYAML only what is C."""
    code = "import sys; from krmfn.__main__ import main; main([]); print(*sys.modules, file=sys.stderr)"
    given = StringIO()
    corpus.write(given, StringIO(), corpus.small(), corpus.step())
    modules = set(told(code, given.getvalue()).split())

    assert "lupa.lua51" in modules
    assert set() == {"yaml.loader", "lupa.version", "contextlib", "re", "enum"} & modules
    assert set() == {name.partition(".")[0] for name in modules} & DEAR - {"lupa"}
