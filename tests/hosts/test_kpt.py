"""The real kpt, in place: every position of the plan, in order and out of order, and what people change in between."""

import random
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.hosts import programs
from tests.stories import ROOT

EXAMPLE = ROOT / "kustomize-examples" / "echoserver"
ORDER = (
    *("0", "1/scale", "1", "2/scale", "2", "3/scale", "3", "4/scale", "4", "5/scale", "5", "promote", "finalise"),
    *("3>0/shift", "3>0/drain", "promote>0/scale", "promote>0/shift", "promote>0/drain", "5>2/shift", "1>4/scale"),
)
Environment = Mapping[str, str]


@pytest.fixture(name="package")
def _package(tmp_path: Path, environment: Environment, kpt: str) -> Path:
    """The echoserver example in a repository of its own, as kpt writes it, without the kustomize side."""
    assert kpt
    package = programs.copied(EXAMPLE, tmp_path / "package", environment)
    for name in ("kustomization.yaml", "step.yaml", "README.md"):
        (package / name).unlink(missing_ok=True)
    assert programs.kpt_eval(package, "cat", environment=environment).code == 0
    return package


def move(package: Path, position: str, environment: Environment, *config: str) -> dict[str, bytes]:
    """Go to a position and return the files."""
    ran = programs.kpt_eval(package, "krmfn", f"step={position}", *config, environment=environment)
    assert ran.code == 0, ran.err
    return programs.files(package)


def edit(package: Path, find: str, replace: str) -> None:
    """Change a file by hand."""
    path = package / "app.yaml"
    text = path.read_text()
    assert text.count(find) == 1
    path.write_text(text.replace(find, replace))


def test_a_position_has_the_same_files_however_it_was_reached(package: Path, environment: Environment) -> None:
    """All positions in order and in two random orders give, for the same position, the same files byte for byte."""
    image = "image=echoserver=echoserver:1.11"
    first = {position: move(package, position, environment, image) for position in ORDER}
    for seed in (1, 2):
        positions = list(ORDER)
        random.Random(seed).shuffle(positions)  # noqa: S311 - an order, not a secret
        for position in positions:
            assert move(package, position, environment, image) == first[position], position


def test_comments_and_edits_are_kept_to_the_end(package: Path, environment: Environment) -> None:
    """An image, a variable, a host and replicas, edited in the middle, are there at every later stage."""
    move(package, "0", environment)
    edit(package, "image: echoserver:1.10 # the version that users have", "image: echoserver:1.11 # a bot's")
    move(package, "1/scale", environment)
    move(package, "1", environment)
    edit(package, "replicas: 5 # agreed", "replicas: 10 # agreed")
    edit(package, "- host: echo.k8s.local", "- host: echo.k8s.local # old")
    edit(package, "- name: VERSION", "- name: EXTRA # by hand\n              value: 'on'\n            - name: VERSION")
    for position in ("1/scale", "1", "2/scale", "2", "promote", "finalise", "complete"):
        text = move(package, position, environment)["app.yaml"].decode()
        assert "replicas: 10 # agreed with the platform team" in text
        assert "# What users have today" in text
        assert "- host: echo.k8s.local # old" in text
        canary = (package / "app-canary.yaml").read_text() if position != "complete" else text
        assert "name: EXTRA" in canary
    assert "image: echoserver:1.11" in text
    assert "name: EXTRA # by hand" in text
    assert not (package / "app-canary.yaml").exists()


def test_the_package_is_as_it_was_when_something_is_wrong(package: Path, environment: Environment) -> None:
    """An error leaves every file untouched, and kpt shows the words and the place."""
    before = programs.files(package)
    ran = programs.kpt_eval(package, "krmfn", "step=7", environment=environment)
    assert ran.code == 1
    assert "there is no position '7'" in ran.err
    assert "rollouts.kruise.io/v1alpha1/Rollout/rollouts-demo" in ran.err
    assert programs.files(package) == before


def test_a_pipeline_renders_the_position_in_its_own_config(package: Path, environment: Environment) -> None:
    """``kpt fn render`` with a RolloutStep in the package does the same as ``kpt fn eval``."""
    evaluated = move(package, "2", environment, "image=echoserver=echoserver:1.11")
    programs.git("checkout", "--quiet", ".", cwd=package, environment=environment)
    programs.git("clean", "--quiet", "--force", cwd=package, environment=environment)
    (package / "step.yaml").write_text((EXAMPLE / "step.yaml").read_text())
    pipeline = "pipeline:\n  mutators:\n    - exec: krmfn\n      configPath: step.yaml\n"
    head = "apiVersion: kpt.dev/v1\nkind: Kptfile\nmetadata:\n  name: echoserver\n"
    (package / "Kptfile").write_text(head + pipeline)
    ran = programs.kpt_render(package, environment=environment)
    assert ran.code == 0, ran.err
    rendered = programs.files(package)
    assert rendered.items() >= {n: evaluated[n] for n in ("app-canary.yaml",)}.items()
    assert (package / "step.yaml").exists()
    assert (package / "Kptfile").exists()
