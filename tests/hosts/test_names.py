"""kustomize changes names and refers to them later: both sides keep finding each other, however often names change."""

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.echoserver import APP, ROLLOUT, STEP, write
from tests.hosts import programs

Environment = Mapping[str, str]
Build = Callable[..., dict[tuple[str, str], Any]]

FUNCTION = '  annotations: {config.kubernetes.io/function: "exec: {path: krmfn}"}\n'
TRANSFORMER = STEP.replace("  name: echo\n", f"  name: echo\n{FUNCTION}", 1)
AUTOSCALER = """\
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: echo
  namespace: demo
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: echo}
  minReplicas: 5
  maxReplicas: 9
"""


@pytest.fixture(name="build")
def _build(tmp_path: Path, environment: Environment, kustomize: str) -> Build:
    """``build(*kustomizations)`` builds the last of a chain of overlays upon the package, and names what came of it."""
    assert kustomize

    def build(*kustomizations: str, **files: str) -> dict[tuple[str, str], Any]:
        files = {"hpa__yaml": AUTOSCALER, **files}
        listed = ", ".join(["app.yaml", "rollout.yaml", *(name.replace("__", ".") for name in files)])
        write(tmp_path / "0", kustomization__yaml=f"resources: [{listed}]\n", **files)
        for number, text in enumerate(kustomizations, 1):
            folder = tmp_path / str(number)
            folder.mkdir()
            (folder / "step.yaml").write_text(TRANSFORMER)
            (folder / "kustomization.yaml").write_text(f"resources: [../{number - 1}]\n{text}")
        ran = programs.kustomize_build(tmp_path / str(len(kustomizations)), environment=environment)
        assert ran.code == 0, ran.err
        return {(o["kind"], o["metadata"]["name"]): o for o in yaml.safe_load_all(ran.out)}

    return build


HERE = "transformers: [step.yaml]\n"


@pytest.mark.parametrize(
    ("kustomizations", "affixes"),
    [
        ((f"namePrefix: p-\n{HERE}",), ("p-", "")),
        ((f"namePrefix: p-\nnameSuffix: -s\n{HERE}",), ("p-", "-s")),
        (("namePrefix: p-\n", f"nameSuffix: -s\n{HERE}"), ("p-", "-s")),
        ((f"namePrefix: p-\n{HERE}", "namePrefix: q-\nnameSuffix: -t\n"), ("q-p-", "-t")),
        (("namePrefix: p-\n", f"namePrefix: q-\nnamespace: other\n{HERE}"), ("q-p-", "")),
        ((HERE, "namePrefix: p-\n"), ("p-", "")),
    ],
    ids=["prefix", "both", "below", "below and above", "twice", "above"],
)
def test_every_reference_leads_to_its_side(build: Build, kustomizations: tuple[str, ...], affixes) -> None:
    """The routes, the autoscalers and the selectors of both sides lead to that side, wherever names were changed."""
    built = build(*kustomizations)
    prefix, suffix = affixes
    kinds = ("Deployment", "Service", "Ingress", "HorizontalPodAutoscaler")
    names = [f"{prefix}{name}{suffix}" for name in ("echo", "echo-canary")]
    assert {(kind, name) for kind in kinds for name in names} == set(built)
    for name in names:
        [rule] = built["Ingress", name]["spec"]["rules"]
        assert name == rule["http"]["paths"][0]["backend"]["service"]["name"]
        assert name == built["HorizontalPodAutoscaler", name]["spec"]["scaleTargetRef"]["name"]
        pods = built["Deployment", name]["spec"]["template"]["metadata"]["labels"]
        assert built["Service", name]["spec"]["selector"].items() <= pods.items()
        assert "internal.config" not in yaml.safe_dump([built[kind, name] for kind in kinds])


def test_two_instances_of_a_base_are_not_mixed_up(tmp_path: Path, environment: Environment, kustomize: str) -> None:
    """Where one base is there under two prefixes, each is released by its own overlay, and a common one is refused."""
    assert kustomize
    write(tmp_path / "base", kustomization__yaml="resources: [app.yaml, rollout.yaml]\n")
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "step.yaml").write_text(TRANSFORMER)
        text = f"resources: [../base]\nnamePrefix: {name}-\n{HERE}"
        (tmp_path / name / "kustomization.yaml").write_text(text)
    (tmp_path / "both").mkdir()
    (tmp_path / "both" / "kustomization.yaml").write_text("resources: [../a, ../b]\n")
    ran = programs.kustomize_build(tmp_path / "both", environment=environment)
    assert ran.code == 0, ran.err
    names = [o["metadata"]["name"] for o in yaml.safe_load_all(ran.out) if o["kind"] == "Deployment"]
    assert ["a-echo", "a-echo-canary", "b-echo", "b-echo-canary"] == sorted(names)
    for name in ("a", "b"):
        text = f"resources: [../base]\nnamePrefix: {name}-\n"
        (tmp_path / name / "kustomization.yaml").write_text(text)
    (tmp_path / "both" / "step.yaml").write_text(TRANSFORMER)
    (tmp_path / "both" / "kustomization.yaml").write_text(f"resources: [../a, ../b]\n{HERE}")
    ran = programs.kustomize_build(tmp_path / "both", environment=environment)
    assert (1, "") == (ran.code, ran.out)
    assert "error: " in ran.err


def test_the_legacy_form_is_as_good(
    build: Build, tmp_path: Path, environment: Environment, kubectl: str, kustomize: str
) -> None:
    """As a legacy plugin, which kubectl runs, krmfn finds changed names as it does as an exec function."""
    assert kubectl
    assert kustomize
    expected = build(f"namePrefix: p-\nnameSuffix: -s\n{HERE}")
    plugin = tmp_path / "plugins" / "krmfn.dev" / "v1alpha1" / "rolloutstep" / "RolloutStep"
    plugin.parent.mkdir(parents=True)
    plugin.symlink_to(shutil.which("krmfn", path=environment["PATH"]))
    (tmp_path / "1" / "step.yaml").write_text(STEP)
    places = {**environment, "KUSTOMIZE_PLUGIN_HOME": str(tmp_path / "plugins")}
    ran = programs.kubectl_kustomize(tmp_path / "1", "--enable-alpha-plugins", environment=places)
    assert ran.code == 0, ran.err
    assert expected == {(o["kind"], o["metadata"]["name"]): o for o in yaml.safe_load_all(ran.out)}


GENERATOR = f"{TRANSFORMER}  manifests:\n" + "".join(
    "    - " + text.strip().replace("\n", "\n      ") + "\n"
    for text in (*APP.partition("\n")[2].split("---\n"), ROLLOUT)
)


def test_a_generator_makes_what_a_transformer_does(
    build: Build, tmp_path: Path, environment: Environment, kustomize: str
) -> None:
    """Manifests in the function config come out of a generator as they come out of a transformer."""
    transformed = build(
        HERE, hpa__yaml=AUTOSCALER.replace("autoscaling/v2", "v1").replace("HorizontalPodAutoscaler", "X")
    )
    (tmp_path / "g").mkdir()
    (tmp_path / "g" / "kustomization.yaml").write_text("generators: [step.yaml]\n")
    (tmp_path / "g" / "step.yaml").write_text(GENERATOR)
    ran = programs.kustomize_build(tmp_path / "g", environment=environment)
    assert ran.code == 0, ran.err
    generated = {(o["kind"], o["metadata"]["name"]): o for o in yaml.safe_load_all(ran.out)}
    assert generated == {key: o for key, o in transformed.items() if key[0] != "X"}
