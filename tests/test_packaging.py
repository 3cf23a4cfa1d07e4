"""The wheel: what is in it, and that it works where nothing of the repository is."""

import subprocess
import sys
import sysconfig
import zipfile
from email import message_from_bytes
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SCRIPTS = sorted(path.relative_to(ROOT / "lua") for path in (ROOT / "lua").rglob("render.lua"))


def checked(*command: object) -> str:
    """Run a command far from the repository; return what it printed."""
    done = subprocess.run([str(word) for word in command], cwd="/", capture_output=True, check=False, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture(name="wheel", scope="module")
def _wheel(tmp_path_factory):
    """The wheel, built without a network."""
    folder = tmp_path_factory.mktemp("wheel")
    checked(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", folder, ROOT)
    (wheel,) = folder.glob("krmfn-*.whl")
    return wheel


@pytest.fixture(name="installed", scope="module")
def _installed(wheel, tmp_path_factory):
    """The Python of a new environment with the wheel in it; dependencies are borrowed from this one."""
    place = tmp_path_factory.mktemp("environment")
    checked(sys.executable, "-m", "venv", "--without-pip", place)
    python = place / "bin" / "python"
    checked(sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps", "--no-index", wheel)
    (packages,) = place.glob("lib/python*/site-packages")
    (packages / "borrowed.pth").write_text(sysconfig.get_path("platlib") + "\n")
    return python


def test_wheel_holds_the_package_and_the_providers(wheel):
    """The wheel holds every module and every Lua script, and nothing of the tests."""
    names = set(zipfile.ZipFile(wheel).namelist())
    modules = {path.relative_to(ROOT).as_posix() for path in (ROOT / "krmfn").rglob("*.py")}

    assert modules | {"krmfn/py.typed"} <= names
    assert {f"krmfn/_lua/{script.as_posix()}" for script in SCRIPTS} <= names
    assert {name.split("/")[0].split("-")[0] for name in names} == {"krmfn"}


def test_metadata(wheel):
    """The wheel says what it needs, and PyYAML is pinned to the minor, whose insides we lean on."""
    archive = zipfile.ZipFile(wheel)
    (path,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
    metadata = message_from_bytes(archive.read(path))
    needs = [need for need in metadata.get_all("Requires-Dist", []) if "extra" not in need]

    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata["License-Expression"] == "Apache-2.0"
    assert "pyyaml<6.1,>=6.0.2" in [need.lower() for need in needs]
    assert len(needs) == 5


def test_program_runs(installed):
    """The installed program says its version, and is the one in the new environment."""
    version = checked(installed, "-c", "import krmfn; print(krmfn.__version__)")

    assert checked(installed.parent / "krmfn", "--version") == f"krmfn {version}"
    assert checked(installed, "-m", "krmfn", "--version") == f"krmfn {version}"
    assert Path(checked(installed, "-c", "import krmfn; print(krmfn.__file__)")).is_relative_to(installed.parent.parent)


@pytest.mark.parametrize("script", SCRIPTS, ids=str)
def test_providers_are_found(installed, script):
    """Each provider is found in the installed package by its group, kind and variant, as it is in the repository."""
    wanted = ", ".join(repr(part) for part in script.parent.parts)
    source = checked(installed, "-c", f"from krmfn import lua; print(lua.find({wanted}).source)")

    assert source == (ROOT / "lua" / script).read_text().strip()
