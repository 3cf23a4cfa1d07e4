"""The one file that `make dist` makes: it runs where nothing is installed, and where nothing can be written."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from krmfn import __version__
from tests.echoserver import APP, ROLLOUT, STEP


@pytest.fixture(name="bare")
def _bare(tmp_path: Path) -> dict[str, str]:
    """An environment that has Python, a shell's programs and a home, and no krmfn."""
    (tmp_path / "bin").mkdir()
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    (tmp_path / "bin" / name).symlink_to(Path(os.path.realpath(sys.executable)))
    return {"HOME": str(tmp_path / "home"), "PATH": f"{tmp_path / 'bin'}{os.pathsep}{os.defpath}"}


def run(archive: Path, *arguments: str, given: bytes = b"", environment: dict[str, str]) -> tuple[int, bytes, bytes]:
    """Run the file."""
    done = subprocess.run(
        [archive, *arguments], input=given, env=environment, cwd="/", capture_output=True, check=False
    )
    return done.returncode, done.stdout, done.stderr


def wire() -> bytes:
    """Return what a host sends."""
    items = [*yaml.safe_load_all(APP), yaml.safe_load(ROLLOUT)]
    config = yaml.safe_load(STEP)
    given = {"apiVersion": "config.kubernetes.io/v1", "kind": "ResourceList", "items": items, "functionConfig": config}
    return yaml.safe_dump(given).encode()


def test_it_runs_where_nothing_is_installed(archive: Path, bare: dict[str, str], krmfn) -> None:
    """The function and the command line do what the installed program does, at the first run and at the next."""
    here = krmfn(given=wire())
    for _ in range(2):
        assert (0, here.stdout, here.stderr) == run(archive, given=wire(), environment=bare)
    assert (0, f"krmfn {__version__}\n".encode(), b"") == run(archive, "--version", environment=bare)
    assert krmfn("providers").stdout == run(archive, "providers", environment=bare)[1]
    assert [1] == [len(list(Path(bare["HOME"], ".cache", "krmfn").iterdir()))]


def test_it_runs_where_nothing_can_be_written(archive: Path, bare: dict[str, str], tmp_path: Path) -> None:
    """Without a home, and with a cache that is no folder, each run unpacks for itself, and leaves nothing behind."""
    (tmp_path / "file").write_text("")
    (tmp_path / "temp").mkdir()
    no_home = {key: value for key, value in bare.items() if key != "HOME"} | {"TMPDIR": str(tmp_path / "temp")}
    for more in ({"KRMFN_CACHE": str(tmp_path / "file" / "x")}, {"KRMFN_CACHE": "/proc/nowhere"}):
        code, out, _ = run(archive, given=wire(), environment=no_home | more)
        assert (0, True) == (code, b"echo-canary" in out)
    assert [] == list((tmp_path / "temp").iterdir())


def test_it_is_the_same_file_each_time(archive: Path, tmp_path: Path) -> None:
    """The same environment gives the same bytes, and so the same place in the cache."""
    again = tmp_path / "krmfn"
    tool = Path(__file__).parent.parent / "tools" / "dist.py"
    subprocess.run([sys.executable, tool, again], check=True, capture_output=True)
    assert archive.read_bytes() == again.read_bytes()


def test_it_says_what_it_needs(archive: Path, bare: dict[str, str], tmp_path: Path) -> None:
    """Its second line names the version of Python; without that one the file says so, and writes nothing else."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert re.search(
        rf"krmfn {__version__}, for Python {version} on \w+", archive.read_bytes()[:200].decode(errors="replace")
    )
    (tmp_path / "none").mkdir()
    shell = tmp_path / "none" / "sh"
    shell.symlink_to(shutil.which("sh"))
    code, out, said = run(archive, environment={**bare, "PATH": str(tmp_path / "none")})
    assert (1, b"", f"error: krmfn needs python{version}, which is not on PATH\n".encode()) == (code, out, said)


def test_two_first_runs_do_not_disturb_each_other(archive: Path, bare: dict[str, str]) -> None:
    """A host that starts several functions at once gets an answer from each."""
    runs = [subprocess.Popen([archive, "--version"], env=bare, stdout=subprocess.PIPE) for _ in range(3)]
    assert [(f"krmfn {__version__}\n".encode(), 0)] * 3 == [(p.communicate()[0], p.returncode) for p in runs]
    assert 1 == len(list(Path(bare["HOME"], ".cache", "krmfn").iterdir()))
