"""The examples do what their READMEs say: each block is run with the real hosts, and its output compared."""

import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import yaml

from tests.hosts import cases, programs
from tests.stories import ROOT

EXAMPLES = ROOT / "kustomize-examples"
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
SCRIPT = re.compile(r"^```bash\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((\.expected/[^)]+)\)")
# What kpt's own harness wants beside a difference.
KPT = ("/config.yaml", "/exec.sh", "/results.yaml")
HOSTS = ("kpt", "kustomize", "kubectl")
Environment = Mapping[str, str]


def blocks() -> "list[tuple[str, str, str, str]]":
    """Return every block of every example: its folder, its heading, its commands, and the file of what they print."""
    found = []
    for readme in sorted(EXAMPLES.glob("*/README.md")):
        before, *parts = SCRIPT.split(readme.read_text())
        for script, after in zip(parts[::2], parts[1::2], strict=True):
            link = LINK.search(after)
            found.append((readme.parent.name, HEADING.findall(before)[-1], script, link[1] if link else ""))
            before = after if HEADING.search(after) else before
    return found


BLOCKS = blocks()


@pytest.fixture(name="repository")
def _repository(tmp_path: Path, environment: Environment) -> Path:
    """What the examples need of the repository: themselves, and the files for hosts."""
    shutil.copytree(EXAMPLES, tmp_path / "repository" / "kustomize-examples")
    shutil.copytree(ROOT / "hosts", tmp_path / "repository" / "hosts")
    programs.git("init", "--quiet", cwd=tmp_path / "repository", environment=environment)
    programs.commit(tmp_path / "repository", "as given", environment)
    return tmp_path / "repository"


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
        helm = request.getfixturevalue("helm4" if "4" in heading else "helm3")
        environment = alone(environment, repository.parent, helm)
    if "dist/krmfn" in script:
        (repository / "dist").mkdir()
        shutil.copy(request.getfixturevalue("archive"), repository / "dist")
        environment = {**environment, "XDG_CACHE_HOME": str(repository.parent)}
    command = ["bash", "-c", f"set -euo pipefail\n{script}"]
    ran = programs.run(command, cwd=repository / "kustomize-examples" / name, environment=environment)
    assert ran.code == 0, ran.out + ran.err
    assert expected, "the README does not link to what this block prints"
    golden(EXAMPLES / name / expected, ran.out)


def test_every_example_is_run() -> None:
    """Each folder of examples has a README with commands, and every file that is expected is printed by one of them."""
    folders = {path.name for path in EXAMPLES.iterdir() if path.is_dir()}
    files = {path.relative_to(EXAMPLES).as_posix() for path in EXAMPLES.glob("*/.expected/*") if path.is_file()}
    expected = {path for path in files if not path.endswith(KPT)}
    assert folders == {name for name, *_ in BLOCKS}
    assert expected == {f"{name}/{link}" for name, _, _, link in BLOCKS}


CASES = cases.find(EXAMPLES)


@pytest.mark.parametrize("case", [c for c in CASES if (c / ".expected" / "config.yaml").exists()], ids=lambda c: c.name)
def test_a_case_of_the_catalog(
    case: Path, tmp_path: Path, environment: Environment, kpt: str, request: pytest.FixtureRequest
) -> None:
    """An example for kpt's catalog is a case that kpt's own harness accepts, and running it again changes nothing."""
    assert kpt
    outcome = cases.execute(case, tmp_path / "once", environment)
    if request.config.getoption("--bless"):
        cases.bless(case, outcome)
    assert [] == cases.complaints(case, outcome)
    package = tmp_path / "once" / case.name
    programs.commit(package, "once", environment)
    assert 0 == programs.run(cases.command(case, tmp_path / "results"), cwd=package, environment=environment).code
    assert "" == programs.changes(package, environment)


def test_the_catalog_finds_what_it_wants() -> None:
    """The metadata has what kpt's catalog requires, and each example that it names is there under a name it accepts."""
    found = yaml.safe_load((ROOT / "hosts" / "kpt" / "metadata.yaml").read_text())
    assert {"image", "description", "tags", "sourceURL", "examplePackageURLs", "emails", "license"} == set(found)
    names = {url.rpartition("/")[2] for url in found["examplePackageURLs"]}
    assert names == {case.name for case in CASES if (case / ".expected" / "config.yaml").exists()}
    for name in names:
        lines = (EXAMPLES / name / "README.md").read_text().splitlines()
        title = name.removeprefix("krmfn-").title()
        assert f"# krmfn: {title} Example" == lines[0]
        sections = ["Overview", "Fetch the example package", "Function invocation", "Expected result"]
        assert [*sections, "Function Reference"] == [line[4:] for line in lines if line.startswith("### ")]
