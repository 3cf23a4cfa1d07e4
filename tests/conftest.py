"""What every test may ask for: the programs that run functions, ``krmfn`` itself, and ``--bless``.

A test that needs a program takes the fixture of that name (``kpt``, ``kustomize``, ``kubectl``, ``helm3``, ``helm4``)
and is skipped where the machine has none; ``.ci/run`` turns such a skip into a failure.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).parent.parent
HOSTS = ROOT / ".hosts" / "bin"

# The words by which .ci/run knows such a skip.
MISSING = "host binary missing: "

settings.register_profile("local", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("local"), derandomize=True, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "local"))


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--bless``."""
    parser.addoption("--bless", action="store_true", help="write the golden files anew instead of comparing with them")


def pytest_configure(config: pytest.Config) -> None:
    """Refuse to bless where nobody reads the difference."""
    if config.getoption("--bless") and os.environ.get("CI"):
        raise pytest.UsageError("--bless rewrites what is expected; do it at your desk and read the diff")


@pytest.fixture(name="golden")
def _golden(request: pytest.FixtureRequest) -> Callable[[Path, str], None]:
    """``golden(path, actual)``: the file at ``path`` holds ``actual``, to the byte; ``--bless`` makes it so."""

    def compare(path: Path, actual: str) -> None:
        if request.config.getoption("--bless"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(actual.encode())
        assert path.exists(), f"{path} does not exist; `make bless` writes it"
        assert path.read_bytes().decode() == actual

    return compare


@pytest.fixture(name="environment", scope="session")
def _environment() -> Mapping[str, str]:
    """What a host is run with: ``krmfn`` and the hosts are found by their bare names, and nothing of ours leaks in."""
    path = os.pathsep.join([str(Path(sys.executable).parent), str(HOSTS), os.environ.get("PATH", os.defpath)])
    cleared = {
        name: value for name, value in os.environ.items() if not name.startswith(("HELM_", "KPT_", "KUSTOMIZE_"))
    }
    identity = {
        f"GIT_{who}_{what}": "krmfn@example.com" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
    }
    return MappingProxyType(cleared | identity | {"PATH": path, "GIT_CONFIG_GLOBAL": os.devnull, "LC_ALL": "C.UTF-8"})


def found(name: str, environment: Mapping[str, str]) -> str:
    """Return the path of a host, or skip the test in the words that CI knows."""
    program = shutil.which(name, path=environment["PATH"])
    if not program:
        pytest.skip(MISSING + name)
    return program


@pytest.fixture(name="kpt", scope="session")
def _kpt(environment: Mapping[str, str]) -> str:
    """The path of kpt."""
    return found("kpt", environment)


@pytest.fixture(name="kustomize", scope="session")
def _kustomize(environment: Mapping[str, str]) -> str:
    """The path of kustomize, the standalone program."""
    return found("kustomize", environment)


@pytest.fixture(name="kubectl", scope="session")
def _kubectl(environment: Mapping[str, str]) -> str:
    """The path of kubectl."""
    return found("kubectl", environment)


@pytest.fixture(name="helm3", scope="session")
def _helm3(environment: Mapping[str, str]) -> str:
    """The path of helm 3."""
    return found("helm3", environment)


@pytest.fixture(name="helm4", scope="session")
def _helm4(environment: Mapping[str, str]) -> str:
    """The path of helm 4."""
    return found("helm4", environment)


@pytest.fixture(name="krmfn", scope="session")
def _krmfn(environment: Mapping[str, str]) -> "Callable[..., subprocess.CompletedProcess[bytes]]":
    """``krmfn(*arguments, given=b"", cwd=None)``: the installed program in a process of its own.

    Where coverage measures this process it measures that one too (``patch = ["subprocess"]``), also when a host
    stands between the two.
    """
    program = shutil.which("krmfn", path=environment["PATH"])
    assert program, "krmfn is not installed in this environment: make environment"

    def run(*arguments: str, given: bytes = b"", cwd: Path | None = None) -> "subprocess.CompletedProcess[bytes]":
        command = [program, *arguments]
        return subprocess.run(command, input=given, cwd=cwd, env=environment, capture_output=True, check=False)

    return run


@pytest.fixture(name="archive", scope="session")
def _archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The one file that `make dist` makes."""
    target = tmp_path_factory.mktemp("dist") / "krmfn"
    subprocess.run([sys.executable, ROOT / "tools" / "dist.py", target], check=True, capture_output=True)
    return target
