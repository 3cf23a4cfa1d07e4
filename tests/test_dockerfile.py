"""The Dockerfile, as far as it can be tried without an engine: linted, and its steps run in a folder of our own."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parent.parent
DOCKERFILE = ROOT / "Dockerfile"


class Instruction(NamedTuple):
    """One instruction: its word and what follows."""

    word: str
    rest: str


def stages() -> list[list[Instruction]]:
    """Read the Dockerfile: the instructions of each stage, its FROM first."""
    text = re.sub(r"(?m)^\s*#.*\n", "", DOCKERFILE.read_text()).replace("\\\n", "")
    found = [Instruction(*line.split(None, 1)) for line in text.splitlines() if line.strip()]
    starts = [number for number, instruction in enumerate(found) if instruction.word == "FROM"]
    return [found[start:end] for start, end in zip(starts, [*starts[1:], None], strict=True)]


def rest(stage: list[Instruction], word: str) -> list[str]:
    """Return what follows each ``word`` of a stage."""
    return [instruction.rest for instruction in stage if instruction.word == word]


class Image:
    """A stand-in for the engine: paths of the image are folders below ``root``, ``python`` is a clean environment's."""

    def __init__(self, root: Path):
        """Make the base image's ``python`` below ``root``."""
        self.root = root
        self.workdir = root
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", root / "base"], check=True)
        self.environment = {"PATH": f"{root / 'base' / 'bin'}{os.pathsep}{os.defpath}", "HOME": str(root)}
        # The machine's own standard library is compiled elsewhere, and pip goes where pip goes on this machine.
        self.environment |= {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_"))}

    def here(self, text: str) -> str:
        """Move the image's paths below ``root``."""
        return re.sub(r"(?<![\w.])/(opt/krmfn|source)\b", rf"{self.root}/\1", text)

    def take(self, instruction: Instruction) -> None:
        """Carry out one instruction; those that only describe the image are left out."""
        step = {"WORKDIR": self.enter, "COPY": self.copy, "RUN": self.run, "ENV": self.set}.get(instruction.word)
        if step:
            step(self.here(instruction.rest))

    def enter(self, folder: str) -> None:
        """Carry out WORKDIR."""
        self.workdir = Path(folder)
        self.workdir.mkdir(parents=True)

    def copy(self, given: str) -> None:
        """Carry out COPY, from the repository; what comes from a stage is there already."""
        *sources, target = given.split()
        for source in [] if sources[0].startswith("--from=") else sources:
            if (ROOT / source).is_dir():
                shutil.copytree(ROOT / source, self.workdir / target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(ROOT / source, self.workdir / target)

    def set(self, given: str) -> None:
        """Carry out ENV."""
        self.environment |= dict(pair.split("=", 1) for pair in given.split())

    def run(self, command: str) -> None:
        """Carry out RUN, as the engine would."""
        environment = dict(self.environment)
        if "sysconfig" in command:
            environment["PYTHONPYCACHEPREFIX"] = str(self.root / "compiled")
        done = subprocess.run(
            ["/bin/sh", "-ec", command], check=False, cwd=self.workdir, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"


@pytest.fixture(name="image", scope="module")
def _image(tmp_path_factory):
    """Every stage of the Dockerfile, carried out in a clean folder."""
    image = Image(tmp_path_factory.mktemp("image"))
    for stage in stages():
        for instruction in stage:
            image.take(instruction)
    return image


def test_lint():
    """The linter has nothing to say, not even in passing."""
    command = [Path(sys.executable).parent / "hadolint", "--disable-ignore-pragma", DOCKERFILE]
    done = subprocess.run(command, capture_output=True, check=False, text=True)

    assert (done.returncode, done.stdout) == (0, "")


def test_two_stages_with_pinned_bases():
    """Both stages start from the same image, whose tag names a version of Python and of the system."""
    (base,) = re.findall(r"(?m)^ARG PYTHON=(.*)", DOCKERFILE.read_text())

    assert [rest(stage, "FROM") for stage in stages()] == [["python:${PYTHON} AS build"], ["python:${PYTHON}"]]
    assert re.fullmatch(r"3\.\d+-slim-[a-z]+", base)


def test_runs_as_nobody_without_a_shell():
    """The image runs one absolute program as nobody, with no arguments of its own and no shell around it."""
    final = stages()[-1]
    (entry,) = rest(final, "ENTRYPOINT")

    assert rest(final, "USER") == ["65534:65534"]
    assert json.loads(entry) == ["/opt/krmfn/bin/krmfn"]
    assert rest(final, "CMD") == rest(final, "SHELL") == rest(final, "VOLUME") == []


def test_labels():
    """The image says what it is, under which licence, and which commit it was built from."""
    (labels,) = rest(stages()[-1], "LABEL")
    names = re.findall(r'org\.opencontainers\.image\.(\w+)="[^"]+"', labels)

    assert names == ["title", "description", "licenses", "version", "revision"]


def test_entry_point_runs(image):
    """What the steps install runs by its absolute path with an empty environment."""
    program = image.here("/opt/krmfn/bin/krmfn")
    done = subprocess.run([program, "--version"], cwd="/", env={}, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("krmfn ")


def test_providers_are_in_the_image(image):
    """The Lua providers are installed with the package."""
    (installed,) = (image.root / "opt" / "krmfn" / "lib").glob("python*/site-packages/krmfn/_lua")
    shipped = {path.relative_to(installed) for path in installed.rglob("*.lua")}

    assert shipped == {path.relative_to(ROOT / "lua") for path in (ROOT / "lua").rglob("*.lua")}


def test_everything_is_compiled(image):
    """Every module of the image has compiled code that is used unchecked, so a read-only root costs nothing."""
    library = image.root / "opt" / "krmfn" / "lib"
    cache = sys.implementation.cache_tag
    sources = [path for path in library.rglob("*.py") if not path.match("*/lupa/tests/*")]
    compiled = {path: path.parent / "__pycache__" / f"{path.stem}.{cache}.pyc" for path in sources}
    standard = (image.root / "compiled").rglob(f"__init__.{cache}.pyc")

    assert [path for path, code in compiled.items() if not code.exists()] == []
    assert {code.read_bytes()[4] for code in compiled.values()} == {0b01}
    assert any("/re/" in str(path) for path in standard)


def test_no_installer_is_left(image):
    """Nothing that can install anything is left in the image."""
    assert not list((image.root / "opt" / "krmfn").rglob("pip"))
