"""The real kustomize: the example builds at every position, and what builds is what belongs into a cluster."""

from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from tests.hosts import programs
from tests.stories import ROOT

EXAMPLE = ROOT / "kustomize-examples" / "echoserver"
ORDER = ("0", "1/scale", "1", "2", "3", "4", "5", "promote", "finalise", "complete", "3>0/drain", "promote>0/shift")
Environment = Mapping[str, str]


@pytest.fixture(name="package")
def _package(tmp_path: Path, environment: Environment, kustomize: str) -> Path:
    """A copy of the echoserver example."""
    assert kustomize
    return programs.copied(EXAMPLE, tmp_path / "package", environment)


def at(package: Path, position: str) -> None:
    """Set the position in the transformer's configuration, as a commit would."""
    path = package / "step.yaml"
    path.write_text((EXAMPLE / "step.yaml").read_text().replace("step: 2", f'step: "{position}"'))


@pytest.mark.parametrize("position", ORDER)
def test_the_example_builds_at_every_position(package: Path, environment: Environment, position: str) -> None:
    """A build succeeds, holds neither rollout nor state, and has a canary exactly where the position has one."""
    at(package, position)
    ran = programs.kustomize_build(package, environment=environment)
    assert ran.code == 0, ran.err
    found = [(o["kind"], o["metadata"]["name"]) for o in yaml.safe_load_all(ran.out)]
    canary = position not in ("0", "complete")
    kinds = ("Deployment", "Service", "Ingress")
    expected = {(kind, "echoserver") for kind in kinds} | {(k, "echoserver-canary") for k in kinds if canary}
    assert set(found) == expected
    assert len(found) == len(expected)


def test_a_build_says_that_the_function_has_run(package: Path, environment: Environment) -> None:
    """One line on standard error names the position; without exec functions there is none, and the Rollout is there."""
    ran = programs.kustomize_build(package, environment=environment)
    assert "Rollout rollouts-demo: step 2 of 5" in ran.err
    skipped = programs.kubectl_kustomize(package, "--enable-alpha-plugins", environment=environment)
    assert "kind: Rollout" not in ran.out
    assert "kind: Rollout" in skipped.out or skipped.code != 0


def test_an_error_stops_the_build(package: Path, environment: Environment) -> None:
    """A mistake is an exit code, an empty output and a line that says what to do."""
    at(package, "7")
    ran = programs.kustomize_build(package, environment=environment)
    assert (ran.code, ran.out) == (1, "")
    assert "there is no position '7'; valid are 0 to 5" in ran.err
