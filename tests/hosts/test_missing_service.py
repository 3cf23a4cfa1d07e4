"""What people see in each host when the rollout names a Service that is not there: what is wrong, and where."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.echoserver import APP, NEW, ROLLOUT, STEP, write
from tests.hosts import programs
from tests.stories import ROOT

Environment = Mapping[str, str]
SAID = (
    "Rollout demo/echo spec.strategy.canary.trafficRoutings[0].service: names Service demo/ecko, which is not in the "
    "package; did you mean 'echo'?"
)
FUNCTION = '  annotations: {config.kubernetes.io/function: "exec: {path: krmfn}"}\n'


@pytest.fixture(name="package")
def _package(tmp_path: Path, environment: Environment) -> Path:
    """A package whose rollout names the Service ecko, and whose Service is echo."""
    folder = write(tmp_path / "package", rollout__yaml=ROLLOUT.replace("service: echo", "service: ecko"))
    programs.git("init", "--quiet", cwd=folder, environment=environment)
    programs.commit(folder, "as given", environment)
    return folder


def test_kpt(package: Path, environment: Environment, kpt: str) -> None:
    """Kpt lists it as a result, shows it again as standard error, and leaves every file alone."""
    assert kpt
    ran = programs.kpt_eval(package, "krmfn", "step=1", f"image={NEW}", environment=environment)
    lines = [line.rstrip() for line in ran.err.replace("ms", "s").splitlines()]
    assert 1 == ran.code
    assert lines[0] == '[RUNNING] "krmfn"'
    assert lines[1].startswith('[FAIL] "krmfn" in ')
    said = SAID.replace("Rollout demo/echo ", "rollouts.kruise.io/v1beta1/Rollout/demo/echo ")
    assert [
        "  Results:",
        f"    [error] {said}",
        "  Stderr:",
        f'    "error: {SAID} (rollout.yaml)"',
        '    ""',
        "  Exit code: 1",
    ] == [line for line in lines[2:] if line]
    assert "" == programs.changes(package, environment)


def test_kustomize(package: Path, environment: Environment, kustomize: str) -> None:
    """Kustomize passes it on, and says itself that a function failed."""
    assert kustomize
    (package / "step.yaml").write_text(STEP.replace("  name: echo\n", f"  name: echo\n{FUNCTION}", 1))
    (package / "kustomization.yaml").write_text("resources: [app.yaml, rollout.yaml]\ntransformers: [step.yaml]\n")
    ran = programs.kustomize_build(package, environment=environment)
    assert (1, "") == (ran.code, ran.out)
    assert [f"error: {SAID}", "Error: couldn't execute function: exit status 1"] == [
        line.rstrip() for line in ran.err.splitlines()
    ]


@pytest.fixture(name="chart")
def _chart(package: Path) -> Path:
    """The same as a chart, with the rollout beside it."""
    (package / "templates").mkdir()
    (package / "templates" / "app.yaml").write_text(APP)
    (package / "Chart.yaml").write_text("apiVersion: v2\nname: echo\nversion: 1.0.0\n")
    return package


WORDS = ("rollout.yaml", "--step=1", f"--image={NEW}")


def test_helm3(chart: Path, environment: Environment, helm3: str) -> None:
    """Helm 3 shows it as the output of the post-renderer."""
    options = [word for argument in ("helm", *WORDS) for word in ("--post-renderer-args", argument)]
    command = [helm3, "template", "echo", ".", "--post-renderer", "krmfn", *options]
    ran = programs.run(command, cwd=chart, environment=environment)
    assert (1, "") == (ran.code, ran.out)
    head, said = ran.err.splitlines()[:2]
    assert head.startswith("Error: error while running post render on files: error while running command ")
    assert head.endswith("krmfn. error output:")
    assert f"error: {SAID} (rollout.yaml)" == said


def test_helm4(chart: Path, environment: Environment, helm4: str, tmp_path: Path) -> None:
    """Helm 4 throws away what a plugin says, so krmfn says it to Helm's own standard error, and Helm adds its name."""
    home = {**environment, **{f"HELM_{name}_HOME": str(tmp_path / name) for name in ("CACHE", "CONFIG", "DATA")}}
    programs.run([helm4, "plugin", "install", str(ROOT / "hosts" / "helm")], cwd=tmp_path, environment=home)
    options = [word for argument in WORDS for word in ("--post-renderer-args", argument)]
    command = [helm4, "template", "echo", ".", "--post-renderer", "krmfn", *options]
    ran = programs.run(command, cwd=chart, environment=home)
    assert (1, "") == (ran.code, ran.out)
    said, head = ran.err.splitlines()[:2]
    assert f"error: {SAID} (rollout.yaml)" == said
    assert head.startswith(
        'Error: error while running post render on files: failed to invoke post-renderer plugin "krmfn"'
    )
