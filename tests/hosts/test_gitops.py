"""What GitOps controllers are given: the Argo CD plugin's commands, run as its server does, and Kargo's folders."""

import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.hosts import programs
from tests.stories import ROOT

Environment = Mapping[str, str]
EXAMPLES = ROOT / "kustomize-examples"
PLUGIN = yaml.safe_load((ROOT / "hosts" / "argocd" / "plugin.yaml").read_text())["spec"]


@pytest.fixture(name="shop")
def _shop(tmp_path: Path) -> Path:
    """The folder of an Application, without a repository around it: that is what the sidecar is sent."""
    return Path(shutil.copytree(EXAMPLES / "argocd" / "shop", tmp_path / "shop"))


def generated(shop: Path, environment: Environment, **parameters: str) -> programs.Ran:
    """Run the command that makes manifests, with the parameters as the server names them."""
    said = PLUGIN["generate"]
    known = {parameter["name"] for parameter in PLUGIN["parameters"]["static"]}
    assert set(parameters) <= known
    words = {f"PARAM_{name.upper()}": value for name, value in parameters.items()}
    return programs.run([*said["command"], *said["args"]], cwd=shop, environment={**environment, **words})


def test_argo_cd_discovers_what_is_ours(shop: Path, environment: Environment) -> None:
    """A folder with a RolloutStep is found, and one without is not."""
    find = PLUGIN["discover"]["find"]["command"]
    ours = programs.run(find, cwd=shop, environment=environment)
    (shop / "step.yaml").unlink()
    theirs = programs.run(find, cwd=shop, environment=environment)
    assert (0, "./step.yaml\n", "") == (ours.code, ours.out, theirs.out)


def test_argo_cd_generates(shop: Path, environment: Environment) -> None:
    """Standard output is the manifests of the example, in waves, and nothing else."""
    ran = generated(shop, environment)
    assert 0 == ran.code, ran.err
    assert (EXAMPLES / "argocd" / ".expected" / "step-2.yaml").read_text() == ran.out


def test_argo_cd_passes_parameters(shop: Path, environment: Environment) -> None:
    """Each parameter that is set wins over the RolloutStep."""
    (shop.parent / "running.yaml").write_text((shop / "app.yaml").read_text().replace(":1.10", ":1.9"))
    every = {"step": "1", "rollout": "rollouts-demo", "ordering": "argocd"}
    for more in ({"image": "echoserver=echoserver:1.12"}, {"stable": "../running.yaml"}):
        ran = generated(shop, environment, **every, **more)
        assert 0 == ran.code, ran.err
        assert 'canary-weight: "5"' in ran.out
        assert ("image: echoserver:1.12" in ran.out, "image: echoserver:1.9" in ran.out) == (
            "image" in more,
            "stable" in more,
        )


def test_argo_cd_renders_a_kustomize_build(shop: Path, environment: Environment, kustomize: str) -> None:
    """Where there is a kustomization its build is rendered, and where that fails so does the plugin."""
    assert kustomize
    (shop / "kustomization.yaml").write_text("resources: [app.yaml, rollout.yaml]\nnamePrefix: my-\n")
    text = (shop / "rollout.yaml").read_text()
    (shop / "rollout.yaml").write_text(re.sub(r"((?:name|service): )echoserver", r"\1my-echoserver", text))
    ran = generated(shop, environment, step="2", image="echoserver=echoserver:1.11")
    assert 0 == ran.code, ran.err
    names = [o["metadata"]["name"] for o in yaml.safe_load_all(ran.out)]
    assert {"my-echoserver", "my-echoserver-canary"} == set(names)
    (shop / "kustomization.yaml").write_text("resources: [nowhere.yaml]\n")
    assert (1, "") == generated(shop, environment, step="2")[:2]


def test_argo_cd_is_told_what_is_wrong(shop: Path, environment: Environment) -> None:
    """A mistake ends the command with the reason, and with nothing that Argo CD could take for an empty application."""
    ran = generated(shop, environment, step="9")
    assert (1, "") == (ran.code, ran.out)
    assert "there is no position '9'" in ran.err


def documents(path: Path) -> list[Any]:
    """Read a stream."""
    return list(yaml.safe_load_all(path.read_text()))


def test_kargo_copies_folders_that_are_there(tmp_path: Path, environment: Environment) -> None:
    """The Stages take freight through the resting stages in order, and what each of them copies is rendered."""
    stages = [o for o in documents(EXAMPLES / "kargo" / "kargo.yaml") if o["kind"] == "Stage"]
    names = [stage["spec"]["promotionTemplate"]["spec"]["vars"][0]["value"] for stage in stages]
    command = ["krmfn", "render", "shop", "--all-stages", "--output", str(tmp_path / "stages")]
    ran = programs.run(command, cwd=EXAMPLES / "kargo", environment=environment)
    assert 0 == ran.code, ran.err
    rests = [path.name for path in (tmp_path / "stages").iterdir() if "-to-" not in path.name and path.is_dir()]
    assert sorted(rests) == sorted(["0", *names])
    assert [f"step-{name}" for name in names] == [stage["metadata"]["name"] for stage in stages]
    sources = [stage["spec"]["requestedFreight"][0]["sources"].get("stages", []) for stage in stages]
    assert [[], *([f"step-{name}"] for name in names[:-1])] == sources
