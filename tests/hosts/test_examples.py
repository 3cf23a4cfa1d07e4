"""The examples do what their READMEs say: each block is run with the real hosts, and its output compared."""

import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.hosts import programs
from tests.stories import ROOT

EXAMPLES = ROOT / "kustomize-examples"
# A heading, or a block of commands and what is said behind it.
PARTS = re.compile(r"^#+ ([^\n]+)$|^```bash\n(.*?)^```$(.*?)(?=^#|^```|\Z)", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((\.expected/[^)]+)\)")
HOSTS = ("kpt", "kustomize", "kubectl")
Environment = Mapping[str, str]


def blocks() -> "list[tuple[str, str, str, str]]":
    """Return every block of every example: its folder, its heading, its commands, and the file of what they print."""
    found = []
    for readme in sorted(EXAMPLES.glob("*/README.md")):
        title = ""
        for heading, script, after in PARTS.findall(readme.read_text()):
            title = heading or title
            if script:
                link = LINK.search(after)
                found.append((readme.parent.name, title, script, link[1] if link else ""))
    return found


BLOCKS = blocks()


@pytest.fixture(name="repository")
def _repository(tmp_path: Path) -> Path:
    """What the examples need of the repository: themselves, and the files for hosts."""
    shutil.copytree(EXAMPLES, tmp_path / "kustomize-examples")
    shutil.copytree(ROOT / "hosts", tmp_path / "hosts")
    return tmp_path


def alone(environment: Environment, folder: Path, helm: str) -> dict[str, str]:
    """Return an environment in which ``helm`` is that one, with nothing installed."""
    (folder / "bin").mkdir()
    (folder / "bin" / "helm").symlink_to(helm)
    homes = {f"HELM_{name}_HOME": str(folder / name) for name in ("CACHE", "CONFIG", "DATA")}
    return {**environment, **homes, "PATH": f"{folder / 'bin'}:{environment['PATH']}"}


@pytest.mark.parametrize("block", BLOCKS, ids=[f"{name}-{heading}".replace(" ", "_") for name, heading, *_ in BLOCKS])
def test_an_example(
    block: tuple[str, str, str, str],
    repository: Path,
    environment: Environment,
    golden: Callable[[Path, str], None],
    request: pytest.FixtureRequest,
) -> None:
    """Every command of a block succeeds, and what the block prints is the file to which the README links behind it."""
    name, heading, script, expected = block
    for host in HOSTS:
        if re.search(rf"\b{host}\b", script):
            request.getfixturevalue(host)
    if re.search(r"\bhelm\b", script):
        environment = alone(environment, repository, request.getfixturevalue("helm4" if "4" in heading else "helm3"))
    command = ["bash", "-c", f"set -euo pipefail\n{script}"]
    ran = programs.run(command, cwd=repository / "kustomize-examples" / name, environment=environment)
    assert ran.code == 0, ran.out + ran.err
    assert expected, "the README does not link to what this block prints"
    golden(EXAMPLES / name / expected, ran.out)


def test_every_example_is_run() -> None:
    """Each folder of examples has a README with commands, and every file that is expected is printed by one of them."""
    folders = {path.name for path in EXAMPLES.iterdir() if path.is_dir()}
    expected = {path.relative_to(EXAMPLES).as_posix() for path in EXAMPLES.glob("*/.expected/*") if path.is_file()}
    assert folders == {name for name, *_ in BLOCKS}
    assert expected == {f"{name}/{link}" for name, _, _, link in BLOCKS}
