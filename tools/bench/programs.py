"""The programs that take turns: krmfn as a user has it, and what everybody has to compare it with."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import sysconfig
from importlib.metadata import distribution
from pathlib import Path
from typing import TYPE_CHECKING

from .measure import Program

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parent.parent.parent

COPY = "import sys; sys.stdout.buffer.write(sys.stdin.buffer.read())"
LOAD_AND_DUMP = (
    "import sys, yaml; yaml.dump(yaml.load(sys.stdin, yaml.CSafeLoader), sys.stdout, yaml.CSafeDumper, sort_keys=False)"
)


class Bench:
    """A new environment with the wheel in it, beside the files that are measured with."""

    def __init__(self, folder: Path) -> None:
        """Build the wheel and install it, with the dependencies of the environment that we run in; needs no network."""
        self.folder = folder
        self.bin = folder / "environment" / "bin"
        pip = (sys.executable, "-m", "pip", "--disable-pip-version-check")
        _run(*pip, "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", folder, ROOT)
        (wheel,) = folder.glob("krmfn-*.whl")
        _run(sys.executable, "-m", "venv", "--without-pip", self.bin.parent)
        python = self.bin / "python"
        _run(*pip, "--python", python, "install", "--quiet", "--no-deps", "--no-index", "--no-compile", wheel)
        (packages,) = self.bin.parent.glob("lib/python*/site-packages")
        for name in sorted(_needs("krmfn")):
            _copy(name, packages)
        _run(python, "-m", "compileall", "-q", packages)

    def keep(self, given: str, name: str, changed: Callable[[str], str]) -> None:
        """Write what the function makes of a file, changed, as another file."""
        command, source = self.krmfn(given).command, (self.folder / given).read_bytes()
        done = subprocess.run(command, input=source, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
        (self.folder / name).write_text(changed(done.stdout.decode()))

    def krmfn(self, given: str, name: str = "krmfn") -> Program:
        """Return the function, given a file."""
        return Program(name, (str(self.bin / "krmfn"),), self.folder / given)

    def python(self, name: str, code: str, given: str = "") -> Program:
        """Return a program in the same Python."""
        return Program(name, (str(self.bin / "python"), "-c", code), self.folder / given if given else None)

    def kustomize(self, folder: str) -> Program | None:
        """Return ``kubectl kustomize``, or what is inside it where there is no kubectl; None where there is neither."""
        for name, words in (("kubectl", ("kustomize",)), ("kustomize", ("build",))):
            if program := shutil.which(name):
                return Program(f"`{name} {words[0]}`", (program, *words, str(self.folder / folder)))
        return None


def _run(*command: object) -> None:
    subprocess.run([str(word) for word in command], check=True, cwd="/")


def _needs(name: str) -> set[str]:
    """Return the names of all that a package needs, whatever that needs included."""
    direct = {
        re.split(r"[^\w.-]", need, maxsplit=1)[0] for need in distribution(name).requires or () if ";" not in need
    }
    return direct.union(*(_needs(other) for other in direct)) if direct else set()


def _copy(name: str, packages: Path) -> None:
    """Copy the files of an installed package into another environment."""
    here = Path(sysconfig.get_path("platlib"))
    for source in _files(name, here):
        target = packages / source.relative_to(here)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)


def _files(name: str, here: Path) -> Iterator[Path]:
    for file in distribution(name).files or ():
        source = Path(str(file.locate())).resolve()
        if source.is_relative_to(here) and source.suffix != ".pyc" and source.is_file():
            yield source
