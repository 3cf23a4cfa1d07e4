"""The real Helm, 3 and 4: a chart is released from 1.0.0 to 2.0.0, and nothing in the chart changes for it."""

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping  # noqa: TC003 - fixtures say what they are
from pathlib import Path
from typing import Any

import pytest
import yaml

from krmfn import __version__
from tests.hosts import programs
from tests.hosts.cluster import cluster
from tests.stories import ROOT

EXAMPLE = ROOT / "kustomize-examples" / "helm"
Environment = Mapping[str, str]
Shop = Callable[..., programs.Ran]


@pytest.fixture(name="helm", params=["helm3", "helm4"])
def _helm(request: pytest.FixtureRequest) -> str:
    """Each Helm."""
    return str(request.getfixturevalue(request.param))


@pytest.fixture(name="home")
def _home(tmp_path: Path, environment: Environment, helm: str) -> Environment:
    """The environment of a Helm that has nothing of this machine's, but for Helm 4 the plugin."""
    homes = {f"HELM_{name}_HOME": str(tmp_path / name) for name in ("CACHE", "CONFIG", "DATA")}
    home = {**environment, **homes, "HELM_BIN": helm}
    if helm.endswith("4"):
        ran = programs.run([helm, "plugin", "install", str(ROOT / "hosts" / "helm")], cwd=tmp_path, environment=home)
        assert ran.code == 0, ran.err
    return home


@pytest.fixture(name="chart")
def _chart(tmp_path: Path) -> Path:
    """A copy of the example."""
    return Path(shutil.copytree(EXAMPLE, tmp_path / "shop"))


def post_rendered(helm: str, *arguments: str) -> list[str]:
    """Return the options by which a Helm runs krmfn."""
    words = arguments if helm.endswith("4") else ("helm", *arguments)
    return ["--post-renderer", "krmfn", *(word for a in words for word in ("--post-renderer-args", a))]


def version(chart: Path, number: str) -> None:
    """Make the chart that version, as `helm package --version` does."""
    path = chart / "chart" / "Chart.yaml"
    path.write_text(re.sub(r"(?m)^(version|appVersion): .*", rf"\1: {number}", path.read_text()))


def named(text: str) -> "dict[tuple[str, str], Any]":
    """Return the objects of a stream by kind and name."""
    return {(o["kind"], o["metadata"]["name"]): o for o in yaml.safe_load_all(text) if o}


def image(deployment: "dict[str, Any]") -> str:
    """Return the image of a Deployment."""
    return str(deployment["spec"]["template"]["spec"]["containers"][0]["image"])


def test_what_is_no_release_goes_through(chart: Path, helm: str, home: Environment) -> None:
    """CRDs, hooks, tests and other manifests are what they are without krmfn, and no rollout or state is there."""
    plain = programs.run([helm, "template", "shop", "chart", "--include-crds"], cwd=chart, environment=home)
    (chart / "running.yaml").write_text(plain.out)
    version(chart, "2.0.0")
    command = [helm, "template", "shop", "chart", "--include-crds"]
    new = programs.run(command, cwd=chart, environment=home)
    (chart / "release" / "rollout.yaml").write_text(
        (EXAMPLE / "release" / "rollout.yaml").read_text().replace("canary-demo", "shop")
    )
    options = post_rendered(helm, "release", "--step=1", "--stable=running.yaml")
    ran = programs.run([*command, *options], cwd=chart, environment=home)
    assert ran.code == 0, ran.err
    before, after = named(new.out), named(ran.out)
    canary = {(kind, "shop-canary") for kind in ("Deployment", "Service", "Ingress")}
    assert {*before, *canary} == {*after}
    same = {key: value for key, value in before.items() if key != ("Deployment", "shop")}
    assert same == {key: after[key] for key in same}
    assert ["demo:1.0.0", "demo:2.0.0"] == [image(after["Deployment", name]) for name in ("shop", "shop-canary")]


@pytest.fixture(name="upgrade")
def _upgrade(chart: Path, helm: str, home: Environment, tmp_path: Path) -> "Iterator[tuple[Shop, dict[str, Any]]]":
    """``upgrade(step)`` goes to a position with `helm upgrade --install`, and what the cluster has."""
    with cluster(tmp_path) as (config, objects):
        flags = ["--install", "--skip-crds", "--no-hooks", "--disable-openapi-validation"]
        command = [helm, "upgrade", "canary-demo", "chart", *flags]

        def upgrade(step: str) -> programs.Ran:
            options = post_rendered(helm, "release", f"--step={step}", "--stable=helm:canary-demo")
            return programs.run([*command, *options], cwd=chart, environment={**home, "KUBECONFIG": str(config)})

        yield upgrade, objects


def runs(objects: "dict[str, Any]") -> "dict[str, str]":
    """Return the image of every Deployment in the cluster."""
    return {path.rpartition("/")[2]: image(o) for path, o in objects.items() if "/deployments/" in path}


def test_helm_remembers_what_runs(chart: Path, upgrade: "tuple[Shop, dict[str, Any]]", helm: str) -> None:
    """With --stable=helm:NAME no file is kept: `helm get manifest` says what runs, after `promote` as well."""
    go, objects = upgrade
    seen = []
    moves = (("1.0.0", "0"), ("2.0.0", "1"), ("2.0.0", "promote"), ("2.0.0", "0"), ("2.0.0", "complete"))
    moves = moves[: 3 if helm.endswith("4") else None]
    for number, step in moves:
        version(chart, number)
        ran = go(step)
        assert ran.code == 0, ran.err
        seen.append(runs(objects))
    assert f"canary-demo {number} answers at http://canary-demo.com/version" in ran.out
    old, new = {"canary-demo": "demo:1.0.0"}, {"canary-demo": "demo:2.0.0"}
    canary = {"canary-demo-canary": "demo:2.0.0"}
    assert [old, old | canary, new | canary, old, new][: len(moves)] == seen


def test_a_release_that_is_not_there_has_no_step(upgrade: "tuple[Shop, dict[str, Any]]", helm: str) -> None:
    """Nothing is installed at a step where nothing runs yet, and each Helm shows why."""
    go, objects = upgrade
    ran = go("1")
    assert (1, {}) == (ran.code, runs(objects))
    assert "error: Deployment canary-demo: the package holds one revision of the workload" in ran.err
    assert "Error: error while running post render on files: " in ran.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--stable", "-"), "standard input holds the chart's manifests already"),
        (("--stable", "git:HEAD"), "say where they are, as git:REV:PATH"),
        (("--stable", "helm:none"), "helm: Error: Kubernetes cluster unreachable"),
        (("nowhere",), "nowhere: there is no such file or folder"),
        ((), "the input is empty"),
    ],
)
def test_what_cannot_be_had_is_said(helm3, environment, arguments, words) -> None:
    """A source that is not there, or cannot be, is an error that says so, with nothing on standard output."""
    nobody = {**environment, "HELM_BIN": helm3, "KUBECONFIG": "/nowhere"}
    command = [shutil.which("krmfn", path=environment["PATH"]), "helm", *arguments, "--step", "0"]
    ran = subprocess.run(
        command, input="kind: A\n" if arguments else "", env=nobody, capture_output=True, text=True, check=False
    )
    assert (1, "") == (ran.returncode, ran.stdout)
    assert words in ran.stderr


def test_what_ran_may_stand_in_git(chart: Path, helm3: str, krmfn, environment: Environment) -> None:
    """With --stable git:REV:PATH the manifests are those that were committed, and so are the defaults of a release."""
    render = [helm3, "template", "canary-demo", "chart"]
    (chart / "rendered.yaml").write_text(programs.run(render, cwd=chart, environment=environment).out)
    programs.git("init", "--quiet", cwd=chart, environment=environment)
    programs.commit(chart, "1.0.0", environment)
    version(chart, "2.0.0")
    new = programs.run(render, cwd=chart, environment=environment).out
    step = "apiVersion: krmfn.dev/v1alpha1\nkind: RolloutStep\nmetadata: {name: step}\nspec: {step: 1}\n"
    (chart / "release" / "step.yaml").write_text(step)
    ran = krmfn("helm", "release", "--stable", "git:HEAD:rendered.yaml", given=new.encode(), cwd=chart)
    assert ran.returncode == 0, ran.stderr.decode()
    found = named(ran.stdout.decode())
    assert ["demo:1.0.0", "demo:2.0.0"] == [image(found["Deployment", f"canary-demo{end}"]) for end in ("", "-canary")]
    assert not {"Rollout", "RolloutStep", "RolloutState"} & {kind for kind, _ in found}


def test_a_hook_of_the_same_name_is_not_released(krmfn, chart: Path, helm3: str, environment: Environment) -> None:
    """Where a hook has the name of the Service, the Service is what is pinned, and the hook stays as it is."""
    new = programs.run([helm3, "template", "canary-demo", "chart"], cwd=chart, environment=environment).out
    hook = "---\napiVersion: v1\nkind: Service\nmetadata:\n  name: canary-demo\n  annotations: {helm.sh/hook: test}\n"
    options = ("--step=1", "--image=demo=demo:2.0.0", "--isolation=track", "--adopted")
    ran = krmfn("helm", "release", *options, given=f"{hook}{new}".encode(), cwd=chart)
    assert ran.returncode == 0, ran.stderr.decode()
    services = [o for o in yaml.safe_load_all(ran.stdout) if o["kind"] == "Service"]
    assert [None, "stable", "canary"] == [
        o.get("spec", {}).get("selector", {}).get("krmfn.dev/track") for o in services
    ]


def test_the_plugin_is_of_this_version() -> None:
    """Helm shows the version of the plugin, which is that of krmfn."""
    plugin = yaml.safe_load((ROOT / "hosts" / "helm" / "plugin.yaml").read_text())
    assert ("krmfn", __version__) == (plugin["name"], plugin["version"])
