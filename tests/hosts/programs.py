"""Run the real hosts on a copy of a package, and see what they made of it.

Functions are named by their bare names, as people install them: kpt and kustomize run an exec function in the folder
where they themselves were called, or worse, so a relative path finds it only by luck.
"""

import shutil
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

SECONDS = 120


class Ran(NamedTuple):
    """What a program did: its exit code and what it printed."""

    code: int
    out: str
    err: str


def run(command: Iterable[str], *, cwd: Path, environment: Mapping[str, str]) -> Ran:
    """Run ``command`` in ``cwd`` and return what it did, whatever its exit code."""
    done = subprocess.run(
        list(command),
        cwd=cwd,
        env=environment,
        capture_output=True,
        stdin=subprocess.DEVNULL,
        timeout=SECONDS,
        check=False,
    )
    return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())


def git(*arguments: str, cwd: Path, environment: Mapping[str, str]) -> str:
    """Run git, which has to succeed, and return what it printed."""
    done = run(["git", *arguments], cwd=cwd, environment=environment)
    assert done.code == 0, done.err
    return done.out


def copied(package: Path, target: Path, environment: Mapping[str, str]) -> Path:
    """Copy ``package`` to ``target``, commit it to a new repository there, and return ``target``."""
    shutil.copytree(package, target, symlinks=True)
    git("init", "--quiet", cwd=target, environment=environment)
    commit(target, "as given", environment)
    return target


def commit(package: Path, message: str, environment: Mapping[str, str]) -> None:
    """Commit everything in ``package``, also when nothing changed."""
    git("add", "--all", cwd=package, environment=environment)
    git("commit", "--quiet", "--allow-empty", "--message", message, cwd=package, environment=environment)


def changes(package: Path, environment: Mapping[str, str]) -> str:
    """Return what changed since the last commit, new files included, as ``git diff`` shows it."""
    git("add", "--all", cwd=package, environment=environment)
    return git("diff", "--cached", cwd=package, environment=environment)


def files(package: Path) -> dict[str, bytes]:
    """Return every file of a package by its path, without the repository."""
    return {
        str(path.relative_to(package)): path.read_bytes()
        for path in sorted(package.rglob("*"))
        if path.is_file() and ".git" not in path.relative_to(package).parts
    }


def kpt_eval(package: Path, function: str, *config: str, environment: Mapping[str, str]) -> Ran:
    """Run ``function`` over ``package`` in place: ``kpt fn eval --exec FUNCTION -- key=value ...``."""
    command = ["kpt", "fn", "eval", "--truncate-output=false", "--exec", function]
    return run([*command, *(["--", *config] if config else [])], cwd=package, environment=environment)


def kpt_render(package: Path, *options: str, environment: Mapping[str, str]) -> Ran:
    """Run the pipeline of the package's Kptfile in place."""
    command = ["kpt", "fn", "render", "--truncate-output=false", "--allow-exec", *options]
    return run(command, cwd=package, environment=environment)


def kustomize_build(package: Path, *, environment: Mapping[str, str]) -> Ran:
    """Build ``package`` with exec functions allowed; without the second flag they are skipped without a word."""
    command = ["kustomize", "build", "--enable-alpha-plugins", "--enable-exec", str(package)]
    return run(command, cwd=package, environment=environment)


def kubectl_kustomize(package: Path, *options: str, environment: Mapping[str, str]) -> Ran:
    """Build ``package`` with the kustomize inside kubectl, which never runs an exec function."""
    return run(["kubectl", "kustomize", *options, str(package)], cwd=package, environment=environment)
