"""The seventeen ways in which a host does the wrong thing without a word, each with the host that does it.

Most were found by losing files. A function cannot change a host, so each test says what ours does for a package to come
through whole.
"""

import json
import os
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from krmfn import krm
from tests.echoserver import APP, NEW, ROLLOUT, STEP
from tests.hosts import programs

Environment = Mapping[str, str]
Run = Callable[..., "subprocess.CompletedProcess[bytes]"]

KPTFILE = """\
apiVersion: kpt.dev/v1
kind: Kptfile
metadata:
  name: {name}
  annotations:
    config.kubernetes.io/local-config: "true"
"""
FUNCTION = """\
  annotations:
    config.kubernetes.io/function: |
      exec: {path: krmfn}
"""
TRANSFORMER = STEP.replace("  name: echo\n", f"  name: echo\n{FUNCTION}", 1)
KUSTOMIZATION = """\
resources: [app.yaml, rollout.yaml]
transformers: [step.yaml]
sortOptions: {order: fifo}
"""
CONFIG_MAP = "---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\n  namespace: demo\ndata:\n  a: b\n"
IMAGE = "          image: example.com/echo:1.0\n"
MOUNTED = "          envFrom:\n            - configMapRef:\n                name: settings\n"


@pytest.fixture(name="package")
def _package(tmp_path: Path, environment: Environment) -> Callable[..., Path]:
    """``package(**files)``: a repository with the echo package, in which ``a__b`` is the file a.b and ``None`` none."""

    def make(**files: str | None) -> Path:
        folder = tmp_path / "package"
        folder.mkdir()
        for name, text in {"app__yaml": APP, "rollout__yaml": ROLLOUT, **files}.items():
            if text is not None:
                path = folder / name.replace("__", ".").replace("_in_", "/")
                path.parent.mkdir(exist_ok=True)
                path.write_text(text)
        programs.git("init", "--quiet", cwd=folder, environment=environment)
        programs.commit(folder, "as given", environment)
        return folder

    return make


def settled(package: Path, environment: Environment) -> dict[str, bytes]:
    """Let kpt do its own formatting, and return the files."""
    ran = programs.kpt_eval(package, "cat", environment=environment)
    assert ran.code == 0, ran.err
    return programs.files(package)


def move(package: Path, position: str, environment: Environment, image: str = NEW) -> dict[str, bytes]:
    """Go to a position with kpt, in place, and return the files."""
    ran = programs.kpt_eval(package, "krmfn", f"step={position}", f"image={image}", environment=environment)
    assert ran.code == 0, ran.err
    return programs.files(package)


def objects(text: str) -> dict[tuple[str, str], Any]:
    """Return the objects of a stream by kind and name."""
    return {(o["kind"], o["metadata"]["name"]): o for o in yaml.safe_load_all(text) if o}


def build(package: Path, environment: Environment) -> dict[tuple[str, str], Any]:
    """Build with kustomize, and return what came out."""
    ran = programs.kustomize_build(package, environment=environment)
    assert ran.code == 0, ran.err
    return objects(ran.out)


def test_1_nothing_is_deleted(package: Callable[..., Path], environment: Environment, kpt: str) -> None:
    """Kpt deletes what does not come back, so the author's files are all there at every position and after errors."""
    assert kpt
    folder = package(
        Kptfile=KPTFILE.format(name="shop"), sub_in_Kptfile=KPTFILE.format(name="sub"), notes__yaml=CONFIG_MAP
    )
    before = settled(folder, environment)
    assert {"Kptfile", "app.yaml", "notes.yaml", "rollout.yaml", "sub/Kptfile"} == set(before)
    for position in ("0", "1", "2>0/drain", "promote", "complete"):
        assert set(before) <= set(move(folder, position, environment))
    after = programs.files(folder)
    ran = programs.kpt_eval(folder, "krmfn", "step=7", environment=environment)
    assert (1, after) == (ran.code, programs.files(folder))


def test_1_an_empty_input_is_refused(krmfn: Run) -> None:
    """Where a host sends nothing, nothing with exit code 0 would be taken for an answer."""
    ran = krmfn(given=b"")
    assert (1, b"") == (ran.returncode, ran.stdout)
    assert ran.stderr.startswith(b"error: the input is empty")


def test_2_a_skipped_function_can_be_seen(
    package: Callable[..., Path], environment: Environment, kubectl: str, kustomize: str
) -> None:
    """The kustomize in kubectl skips exec functions, and then the Rollout is in the build; it never is where we ran."""
    assert kubectl
    assert kustomize
    folder = package(kustomization__yaml=KUSTOMIZATION, step__yaml=TRANSFORMER)
    skipped = programs.kubectl_kustomize(folder, "--enable-alpha-plugins", environment=environment)
    ran = programs.kustomize_build(folder, environment=environment)
    assert (0, 0) == (skipped.code, ran.code)
    assert ("Rollout", "echo") in objects(skipped.out)
    assert {kind for kind, _ in objects(ran.out)} == {"Deployment", "Service", "Ingress"}
    assert "info: Rollout demo/echo: step 1 of 2" in ran.err
    assert "krmfn" not in skipped.err


def test_3_a_validator_of_kustomize_stops_the_build(
    package: Callable[..., Path], environment: Environment, kustomize: str
) -> None:
    """Under ``validators:`` kustomize rejects whatever changes an object, so that mistake never passes unnoticed."""
    assert kustomize
    folder = package(kustomization__yaml=KUSTOMIZATION.replace("transformers", "validators"), step__yaml=TRANSFORMER)
    ran = programs.kustomize_build(folder, environment=environment)
    assert (1, "") == (ran.code, ran.out)


VALUES = [
    *("1e3", "12e03", "0o7", "0777", "1234e56", "ON", "yes", "n", "~", "null", "1_000", "0x1F", "+1", ".5e1", "="),
    *("", "2024-01-02", "1:30", "<<", "a: b", " lead", "tail ", "#no", "\ttab", "two\nlines\n", "é\u2028ü", "'q'"),
]


def with_values() -> str:
    """Return the Deployment with each value as a variable, as no reader could take it for something else."""
    env = "".join(f"            - {{name: V{n}, value: {json.dumps(value)}}}\n" for n, value in enumerate(VALUES))
    return APP.replace(IMAGE, f"{IMAGE}          env:\n{env}")


@pytest.mark.parametrize("host", ["kpt", "kustomize"])
def test_4_strings_stay_strings(
    package: Callable[..., Path], environment: Environment, kpt: str, kustomize: str, host: str
) -> None:
    """What looks like a number, a date or a boolean to any reader of YAML is a string in the canary as well."""
    assert kpt
    assert kustomize
    folder = package(app__yaml=with_values(), kustomization__yaml=KUSTOMIZATION, step__yaml=TRANSFORMER)
    if host == "kpt":
        (folder / "step.yaml").unlink()
        (folder / "kustomization.yaml").unlink()
        text = b"---\n".join(move(folder, "1", environment)[name] for name in ("app.yaml", "app-canary.yaml")).decode()
    else:
        text = programs.kustomize_build(folder, environment=environment).out
    written = [item.value for item in krm.read_files([("all", text.encode())]).items]
    for reader in (written, *([yaml.safe_load_all(text)] if host == "kpt" else [])):
        deployments = [value for value in reader if value["kind"] == "Deployment"]
        env = [value["spec"]["template"]["spec"]["containers"][0]["env"] for value in deployments]
        assert [VALUES, VALUES] == [[variable.get("value", "") for variable in side] for side in env]


def test_5_comments_stay_where_they_are(package: Callable[..., Path], environment: Environment, kpt: str) -> None:
    """Heads, tails and feet of the author's objects are there once, in their places, at every position."""
    assert kpt
    commented = APP.replace("---\napiVersion: v1\n", "---\n# About the Service.\napiVersion: v1\n").replace(
        "      app: echo\n  template:", "      # Never change this.\n      app: echo # it cannot be\n  template:"
    )
    folder = package(app__yaml=commented)
    before = settled(folder, environment)["app.yaml"]
    assert before == move(folder, "0", environment)["app.yaml"]
    assert before == move(folder, "1", environment)["app.yaml"]
    assert before.replace(b"echo:1.0", b"echo:1.1") == move(folder, "promote", environment)["app.yaml"]


def test_6_an_error_is_an_exit_code(package: Callable[..., Path], environment: Environment, kustomize: str) -> None:
    """Kustomize shows no results, so an error is on standard error as well, and ends the build."""
    assert kustomize
    folder = package(kustomization__yaml=KUSTOMIZATION, step__yaml=TRANSFORMER.replace("step: 1", "step: 9"))
    ran = programs.kustomize_build(folder, environment=environment)
    assert (1, "") == (ran.code, ran.out)
    assert "error: Rollout demo/echo: there is no position '9'; valid are 0 to 2" in ran.err


@pytest.mark.parametrize("stage", ["mutators", "validators"])
def test_6_an_error_stops_a_pipeline(
    package: Callable[..., Path], environment: Environment, kpt: str, stage: str
) -> None:
    """Kpt takes a result of severity error for a pass unless the exit code says otherwise."""
    assert kpt
    pipeline = f'pipeline:\n  {stage}:\n  - exec: krmfn\n    configMap: {{step: "9"}}\n'
    folder = package(Kptfile=KPTFILE.format(name="shop") + pipeline)
    before = programs.files(folder)
    ran = programs.kpt_render(folder, "--results-dir", "../results", environment=environment)
    assert (1, before) == (ran.code, programs.files(folder))
    assert "there is no position '9'" in ran.err
    [result] = yaml.safe_load((folder.parent / "results" / "results.yaml").read_text())["items"][0]["results"]
    assert ("error", "echo") == (result["severity"], result["resourceRef"]["name"])


CHART = "apiVersion: v2\nname: shop\nversion: 0.1.0\n"
AT_ZERO = ROLLOUT.replace("  namespace: demo\n", '  namespace: demo\n  annotations:\n    krmfn.dev/step: "{step}"\n', 1)
PLUGIN = """\
apiVersion: v1
type: postrenderer/v1
name: krmfn
version: 0.1.0
runtime: subprocess
runtimeConfig:
  platformCommand:
  - command: krmfn
"""


@pytest.mark.parametrize("helm", ["helm3", "helm4"])
def test_7_helm_never_installs_half(
    tmp_path: Path, environment: Environment, helm: str, request: pytest.FixtureRequest
) -> None:
    """Helm 4 drops standard error and Helm 3 takes an empty answer, so what fails is an exit code and no manifest."""
    program = request.getfixturevalue(helm)
    templates, plugin = tmp_path / "chart" / "templates", tmp_path / "plugins" / "krmfn"
    for folder in (templates, plugin):
        folder.mkdir(parents=True)
    (tmp_path / "chart" / "Chart.yaml").write_text(CHART)
    (plugin / "plugin.yaml").write_text(PLUGIN)
    (templates / "app.yaml").write_text(APP)
    found = {**environment, "HELM_PLUGINS": str(tmp_path / "plugins")}
    command = [program, "template", "r", str(tmp_path / "chart"), "--post-renderer", "krmfn"]
    (templates / "rollout.yaml").write_text(AT_ZERO.replace("{step}", "0"))
    ran = programs.run(command, cwd=tmp_path, environment=found)
    assert ran.code == 0, ran.err
    assert {("Deployment", "echo"), ("Service", "echo"), ("Ingress", "echo")} == set(objects(ran.out))
    (templates / "rollout.yaml").write_text(AT_ZERO.replace("{step}", "2"))
    ran = programs.run(command, cwd=tmp_path, environment=found)
    assert (1, "") == (ran.code, ran.out)


def test_8_nothing_else_is_on_standard_output(package: Callable[..., Path], environment: Environment, kpt: str) -> None:
    """A line of anything else breaks kpt's reading and hides the reason; what a script or Python prints is no line."""
    assert kpt
    script = (
        "---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: routes\n  namespace: demo\ndata:\n"
        "  lua.traffic.routing.ingress.nginx: |\n    print('hello')\n    return obj.annotations\n"
    )
    folder = package(scripts__yaml=script)
    noisy = {**environment, "PYTHONVERBOSE": "1", "PYTHONWARNINGS": "always", "PYTHONDEVMODE": "1"}
    command = ["kpt", "fn", "eval", "--exec", "krmfn", "-o", "stdout", "--", "step=1", f"image={NEW}"]
    ran = programs.run(command, cwd=folder, environment=noisy)
    assert "MalformedYAML" not in ran.err
    assert "hello" not in ran.out
    assert (ran.code, bool(ran.out)) in ((0, True), (1, False)), ran.err[-2000:]


def test_9_new_objects_never_collide(package: Callable[..., Path], environment: Environment, kpt: str) -> None:
    """Kpt refuses two objects with one path and index, so each new one has its own, also where names are the same."""
    assert kpt
    other = (
        APP.replace("namespace: demo", "namespace: other")
        + "---\n"
        + ROLLOUT.replace("namespace: demo", "namespace: other")
    )
    taken = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: mine\n"
    folder = package(app__yaml=f"{APP}---\n{other}---\n{ROLLOUT}", rollout__yaml=None, **{"app-canary__yaml": taken})
    settled(folder, environment)
    for namespace in ("demo", "other"):
        config = (f"rollout={namespace}/echo", "step=1", f"image={NEW}")
        ran = programs.kpt_eval(folder, "krmfn", *config, environment=environment)
        assert ran.code == 0, ran.err
    written = list(yaml.safe_load_all((folder / "app-canary.yaml").read_text()))
    names = [(o["kind"], o["metadata"].get("namespace"), o["metadata"]["name"]) for o in written]
    kinds = ("Deployment", "Service", "Ingress")
    expected = [(kind, namespace, "echo-canary") for namespace in ("demo", "other") for kind in kinds]
    assert ("ConfigMap", None, "mine") == names[0]
    assert sorted(expected) == sorted(names[1:])


def test_10_copies_have_no_identity_of_another(
    package: Callable[..., Path], environment: Environment, kpt: str, kustomize: str
) -> None:
    """The canary is made from the author's objects, and no host takes it for one of them."""
    assert kpt
    assert kustomize
    owned = APP.replace(
        "  name: echo\n",
        "  name: echo\n  labels: {app.kubernetes.io/managed-by: Helm, team: shop}\n"
        "  annotations: {argocd.argoproj.io/tracking-id: x, meta.helm.sh/release-name: r, note: kept}\n",
        1,
    )
    folder = package(app__yaml=owned, kustomization__yaml=KUSTOMIZATION, step__yaml=TRANSFORMER)
    metadata = build(folder, environment)["Deployment", "echo-canary"]["metadata"]
    for name in ("step.yaml", "kustomization.yaml"):
        (folder / name).unlink()
    text = move(folder, "1", environment)["app-canary.yaml"].decode()
    assert metadata == objects(text)["Deployment", "echo-canary"]["metadata"]
    assert {
        "name": "echo-canary",
        "namespace": "demo",
        "labels": {"team": "shop", "krmfn.dev/rollout": "echo"},
        "annotations": {"note": "kept"},
    } == metadata


PIPELINE = 'pipeline:\n  mutators:\n  - exec: krmfn\n    configMap: {step: "1", image: "' + NEW + '"}\n'


def test_11_files_stay_files(package: Callable[..., Path], environment: Environment, kpt: str) -> None:
    """Without its annotations kpt writes one file per object, so a pipeline with a sub-package keeps every file."""
    assert kpt
    folder = package(
        Kptfile=KPTFILE.format(name="shop") + PIPELINE,
        sub_in_Kptfile=KPTFILE.format(name="sub"),
        sub_in_more__yaml=CONFIG_MAP.removeprefix("---\n"),
    )
    before = set(programs.files(folder))
    ran = programs.kpt_render(folder, environment=environment)
    assert ran.code == 0, ran.err
    assert before | {"app-canary.yaml", "krmfn-state.yaml"} == set(programs.files(folder))


def test_11_generated_names_keep_their_hash(
    package: Callable[..., Path], environment: Environment, kustomize: str
) -> None:
    """Kustomize hashes a generated name only if its annotation comes back."""
    assert kustomize
    generator = "configMapGenerator:\n- name: page\n  namespace: demo\n  literals: [a=b]\n"
    folder = package(kustomization__yaml=KUSTOMIZATION + generator, step__yaml=TRANSFORMER)
    names = [name for kind, name in build(folder, environment) if kind == "ConfigMap"]
    assert len(names) == 1
    assert names[0].startswith("page-")


ODD = """\
apiVersion: v1
kind: Pod
metadata:
  name: test
  annotations:
    helm.sh/hook: test
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: local
  annotations:
    config.kubernetes.io/local-config: "true"
"""


def test_12_items_need_not_be_objects(package: Callable[..., Path], environment: Environment, kpt: str) -> None:
    """Kptfiles, a kustomization without kind, hooks and local configuration come back byte for byte."""
    assert kpt
    folder = package(
        Kptfile=KPTFILE.format(name="shop"),
        kustomization__yaml="resources:\n- app.yaml\n",
        odd__yaml=ODD,
        sub_in_Kptfile=KPTFILE.format(name="sub"),
        sub_in_kustomization__yaml="namePrefix: a-\n",
    )
    before = settled(folder, environment)
    after = move(folder, "1", environment)
    touched = {"kustomization.yaml", "rollout.yaml"}
    assert {k: v for k, v in before.items() if k not in touched} == {k: after[k] for k in before if k not in touched}


def test_12_lists_and_values_pass_through(krmfn: Run) -> None:
    """What is no object at all, or a list that the host did not unwrap, goes through a run that changes others."""
    items = [
        [1, "krmfn.dev/rollout"],
        None,
        "Rollout rollouts.kruise.io",
        {"kind": "List", "items": [{"kind": "Rollout"}]},
    ]
    items += [*yaml.safe_load_all(APP), *yaml.safe_load_all(ROLLOUT)]
    given = {"apiVersion": "config.kubernetes.io/v1", "kind": "ResourceList", "items": items}
    ran = krmfn(given=krm.dump(given | {"functionConfig": yaml.safe_load(STEP)}).encode())
    assert ran.returncode == 0, ran.stderr.decode()
    assert items[:4] == yaml.safe_load(ran.stdout)["items"][:4]


def test_13_new_entries_of_a_list_come_last(package: Callable[..., Path], environment: Environment, kpt: str) -> None:
    """Kpt gives comments back by position in a list, so what a release adds stands behind what has comments."""
    assert kpt
    commented = APP.replace(
        IMAGE,
        f"{IMAGE}          env:\n"
        "            - name: B # the second letter\n              value: b\n"
        "            - name: A # the first letter\n              value: a\n",
    )
    folder = package(app__yaml=commented)
    patch = {"name": "echo", "env": [{"name": "C", "value": "c"}]}
    target = {"patches": [{"patch": krm.dump({"spec": {"template": {"spec": {"containers": [patch]}}}})}]}
    config = yaml.safe_load(STEP)
    config["spec"] = {"step": "promote", "target": config["spec"]["target"] | target}
    (folder.parent / "step.yaml").write_text(krm.dump(config))
    command = ["kpt", "fn", "eval", "--exec", "krmfn", "--fn-config", "../step.yaml"]
    settled(folder, environment)
    ran = programs.run(command, cwd=folder, environment=environment)
    assert ran.code == 0, ran.err
    text = (folder / "app.yaml").read_text()
    assert "- name: B # the second letter\n" in text
    assert "- name: A # the first letter\n" in text
    names = objects(text)["Deployment", "echo"]["spec"]["template"]["spec"]["containers"][0]["env"]
    assert ["B", "A", "C"] == [entry["name"] for entry in names]


def test_14_documents_are_separated_by_a_line_of_their_own(
    tmp_path: Path, environment: Environment, krmfn: Run, kubectl: str
) -> None:
    """A document in braces never stands behind the dashes, where Go's readers refuse it."""
    assert kubectl
    (tmp_path / "step.yaml").write_text(STEP)
    braces = [
        yaml.safe_dump(o, default_flow_style=True, width=10**6) for o in yaml.safe_load_all(f"{APP}---\n{ROLLOUT}")
    ]
    ran = krmfn(str(tmp_path / "step.yaml"), given="---\n".join(braces).encode())
    assert ran.returncode == 0, ran.stderr.decode()
    lines = ran.stdout.decode().splitlines()
    assert [line for line in lines if line.startswith("---")] == ["---"] * 5
    (tmp_path / "built.yaml").write_bytes(ran.stdout)
    (tmp_path / "kustomization.yaml").write_text("resources: [built.yaml]\n")
    read = programs.kubectl_kustomize(tmp_path, environment=environment)
    assert read.code == 0, read.err
    assert len(objects(read.out)) == 6


def test_15_nothing_follows_the_list(
    package: Callable[..., Path], environment: Environment, krmfn: Run, kpt: str
) -> None:
    """Kpt does not know a list with a separator behind it, so one that comes in does not go out."""
    assert kpt
    folder = package()
    source = programs.run(["kpt", "fn", "source", "."], cwd=folder, environment=environment)
    config = krm.dump({"functionConfig": yaml.safe_load(STEP)})
    ran = krmfn(given=f"{source.out}{config}---\n".encode())
    assert ran.returncode == 0, ran.stderr.decode()
    assert not ran.stdout.rstrip().endswith(b"---")
    command = ["kpt", "fn", "sink", str(folder.parent / "sunk")]
    sunk = subprocess.run(command, input=ran.stdout, env=environment, capture_output=True, check=False)
    assert sunk.returncode == 0, sunk.stderr.decode()
    names = {"app.yaml", "app-canary.yaml", "krmfn-state.yaml", "rollout.yaml"}
    assert names == set(programs.files(folder.parent / "sunk"))


def test_16_names_and_references_stay_together(
    package: Callable[..., Path], environment: Environment, kustomize: str
) -> None:
    """Kustomize does not follow a name that a function changed, so ours only adds names, which a prefix then finds."""
    assert kustomize
    base = package(kustomization__yaml=KUSTOMIZATION, step__yaml=TRANSFORMER, app__yaml=APP + CONFIG_MAP)
    (base / "app.yaml").write_text(
        (APP + CONFIG_MAP).replace(
            "          image: example.com/echo:1.0\n", f"          image: example.com/echo:1.0\n{MOUNTED}"
        )
    )
    overlay = base.parent / "overlay"
    overlay.mkdir()
    (overlay / "kustomization.yaml").write_text("resources: [../package]\nnamePrefix: p-\n")
    built = build(overlay, environment)
    for name in ("p-echo", "p-echo-canary"):
        [container] = built["Deployment", name]["spec"]["template"]["spec"]["containers"]
        assert "p-settings" == container["envFrom"][0]["configMapRef"]["name"]
        [rule] = built["Ingress", name]["spec"]["rules"]
        assert name == rule["http"]["paths"][0]["backend"]["service"]["name"]
        selector = built["Service", name]["spec"]["selector"].items()
        assert selector <= built["Deployment", name]["spec"]["template"]["metadata"]["labels"].items()


def test_17_it_does_not_matter_where_a_host_is_called(
    package: Callable[..., Path], environment: Environment, kpt: str, kustomize: str, tmp_path: Path
) -> None:
    """Kpt runs a function where it was called itself, kustomize elsewhere, and every file comes out the same."""
    assert kpt
    assert kustomize
    folder = package(kustomization__yaml=KUSTOMIZATION, step__yaml=TRANSFORMER)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "app.yaml").write_text("not: [yours\n")
    built = [
        programs.run([*command, place], cwd=cwd, environment=environment)
        for command in [["kustomize", "build", "--enable-alpha-plugins", "--enable-exec"]]
        for cwd, place in ((folder, "."), (elsewhere, os.path.relpath(folder, elsewhere)))
    ]
    assert [0, 0] == [ran.code for ran in built]
    assert built[0].out == built[1].out
    for name in ("step.yaml", "kustomization.yaml"):
        (folder / name).unlink()
    here = move(folder, "1", environment)
    programs.git("checkout", "--quiet", "--", "app.yaml", "rollout.yaml", cwd=folder, environment=environment)
    for name in ("app-canary.yaml", "krmfn-state.yaml"):
        (folder / name).unlink()
    command = [
        "kpt",
        "fn",
        "eval",
        os.path.relpath(folder, elsewhere),
        "--exec",
        "krmfn",
        "--",
        "step=1",
        f"image={NEW}",
    ]
    ran = programs.run(command, cwd=elsewhere, environment=environment)
    assert ran.code == 0, ran.err
    assert here == programs.files(folder)
