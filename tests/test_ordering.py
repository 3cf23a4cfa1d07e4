"""Order within one commit: waves for a host that applies all of it, and folders for one that has them depend."""

import copy
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from krmfn import krm
from krmfn.cli.commands import commands
from krmfn.hosts import answered
from krmfn.kinds import PRUNE_LAST, WAVE
from tests.echoserver import APP, NEW, ROLLOUT, STEP, contents, write
from tests.stories import FIXTURES, Files, play, story

# A third of them will do: each is told twice.
STORIES = sorted(path.parent for path in FIXTURES.glob("*/*/story.yaml"))
POSITIONS = ("0", "1", "2", "promote", "finalise", "complete")


def objects(files: Files) -> dict[Any, Any]:
    """Return everything but the state, which remembers more where there are waves."""
    items = krm.read_files(files.items()).items
    return {(item.ref.kind, item.ref.name): item.value for item in items if item.ref.kind != "RolloutState"}


def plain(manifest: Any) -> Any:
    """Return a manifest without waves."""
    found = copy.deepcopy(manifest)
    kept = {k: v for k, v in annotations(found).items() if k != WAVE and k not in PRUNE_LAST}
    found["metadata"].pop("annotations", None)
    return found if not kept else found | {"metadata": found["metadata"] | {"annotations": kept}}


def annotations(manifest: Any) -> dict[str, str]:
    """Return the annotations of a manifest."""
    return manifest["metadata"].get("annotations") or {}


@pytest.mark.parametrize("folder", STORIES, ids=lambda folder: f"{folder.parent.name}/{folder.name}")
def test_waves_change_nothing_else(folder: Path) -> None:
    """Told with waves, each frame of a story has the same objects; where there is no canary, without any wave."""
    told = story(folder)
    waved = play(replace(told, config=told.config | {"ordering": "argocd"}))
    for (frame, without, outcome), (_, with_waves, ordered) in zip(play(told), waved, strict=True):
        assert outcome.failed is ordered.failed, frame.position
        before, after = objects(without), objects(with_waves)
        assert {key: plain(o) for key, o in before.items()} == {key: plain(o) for key, o in after.items()}
        if all(view.stage.canary is None for view in ordered.views) and not ordered.failed:
            assert before == after


@pytest.fixture(name="shop")
def _shop(tmp_path: Path) -> Path:
    """The package in a folder."""
    return write(tmp_path / "shop")


def run(*arguments: object) -> Any:
    """Run a command in this process."""
    return CliRunner().invoke(commands, [str(a) for a in arguments], prog_name="krmfn")


def waves(shop: Path, step: str) -> dict[str, str]:
    """Return the wave of each object that has one."""
    done = run("render", shop, "--step", step, "--image", NEW, "--ordering", "argocd")
    assert 0 == done.exit_code, done.stderr
    found = list(yaml.safe_load_all(done.stdout))
    return {f"{o['kind']} {o['metadata']['name']}": annotations(o)[WAVE] for o in found if WAVE in annotations(o)}


def test_routes_come_behind_the_pods(shop: Path) -> None:
    """While there is a canary the routes are applied when the pods are healthy, and pruned before them."""
    both = {"Ingress echo": "1", "Ingress echo-canary": "1"}

    assert [{}, both, both, both, both, {}] == [waves(shop, step) for step in POSITIONS]
    text = run("render", shop, "--step", "1", "--image", NEW, "--ordering", "argocd").stdout
    last = [o for o in yaml.safe_load_all(text) if annotations(o).items() >= PRUNE_LAST.items()]
    assert ["Deployment echo-canary", "Service echo-canary"] == [f"{o['kind']} {o['metadata']['name']}" for o in last]


def waved(text: str, kind: str, wave: str) -> str:
    """Give the object of a kind a wave."""
    note = f"  name: echo\n  annotations: {{{WAVE}: {wave!r}}}\n"
    return text.replace(f"kind: {kind}\nmetadata:\n  name: echo\n", f"kind: {kind}\nmetadata:\n{note}")


def test_the_author_s_waves_are_kept(shop: Path) -> None:
    """The canary has the wave of the workload and routes the next one, unless their author put them further back."""
    (shop / "app.yaml").write_text(waved(APP, "Deployment", "3"))
    canary = {"Deployment echo-canary": "3", "Service echo-canary": "3", "Ingress echo-canary": "4"}
    assert canary | {"Deployment echo": "3", "Ingress echo": "4"} == waves(shop, "1")

    (shop / "app.yaml").write_text(waved(APP, "Ingress", "7"))
    assert {"Ingress echo": "7", "Ingress echo-canary": "1"} == waves(shop, "1")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (waved(APP, "Ingress", "-1"), "Ingress demo/echo metadata.annotations"),
        (waved(APP, "Ingress", "soon"), "'soon' is no whole number"),
        (waved(APP, "Deployment", "soon"), "'soon' is no whole number"),
    ],
)
def test_waves_in_another_order_are_refused(shop: Path, text: str, words: str) -> None:
    """A route before the pods, and a wave that is no number, are errors that name the annotation."""
    (shop / "app.yaml").write_text(text)
    done = run("render", shop, "--step", "1", "--image", NEW, "--ordering", "argocd")

    assert (1, "") == (done.exit_code, done.stdout)
    assert words in done.stderr


def test_flux_gets_two_folders(shop: Path, tmp_path: Path) -> None:
    """Pods and Services are in one folder, and routes in the other, which waits for it, at every position."""
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    out = tmp_path / "clusters" / "shop"
    for step in POSITIONS:
        done = run("render", shop, "--step", step, "--image", NEW, "--ordering", "flux", "-o", out)
        assert 0 == done.exit_code, done.stderr
        there = contents(out)
        canary = ["", "-canary"] if step not in ("0", "complete") else [""]
        folders = [f"{folder}/app{end}.yaml" for folder in ("traffic", "workload") for end in canary]
        assert sorted([".krmfn", "flux.yaml", "kustomization.yaml", *folders]) == sorted(there)
        kinds = {name: [o["kind"] for o in yaml.safe_load_all(there[name])] for name in folders}
        assert all(["Ingress"] == kinds[name] for name in folders if name.startswith("traffic"))
        assert all(["Deployment", "Service"] == kinds[name] for name in folders if name.startswith("workload"))
        pods, requests = yaml.safe_load_all(there["flux.yaml"])
        assert ["./clusters/shop/workload", "./clusters/shop/traffic"] == [
            pods["spec"]["path"],
            requests["spec"]["path"],
        ]
        assert [f"echo{end}" for end in canary] == [check["name"] for check in pods["spec"]["healthChecks"]]
        assert [{"name": "echo-workload"}] == requests["spec"]["dependsOn"]
        assert requests["spec"]["wait"]
        assert {"resources": ["flux.yaml"]}.items() <= yaml.safe_load(there["kustomization.yaml"]).items()


def test_flux_gets_one_object_a_file_on_request(shop: Path, tmp_path: Path) -> None:
    """The layout of files is that of other renderings."""
    run("render", shop, "--step", "1", "--image", NEW, "--ordering", "flux", "--one-per-file", "-o", tmp_path / "out")

    names = {name for name in contents(tmp_path / "out") if "/" in name}
    canary = {f"traffic/demo/ingress-echo{end}.yaml" for end in ("", "-canary")}
    pods = {f"workload/demo/{kind}-echo{end}.yaml" for kind in ("deployment", "service") for end in ("", "-canary")}
    assert canary | pods == names


def test_folders_are_for_folders(shop: Path) -> None:
    """What has no folders cannot be ordered by them: standard output, files in place, all stages, a function."""
    for arguments in ((), ("--in-place",), ("--all-stages", "-o", shop.parent / "out")):
        step = () if "--all-stages" in arguments else ("--step", "1")
        done = run("render", shop, "--image", NEW, "--ordering", "flux", *step, *arguments)
        assert (1, "") == (done.exit_code, done.stdout)
        assert "ordering flux needs two folders" in done.stderr
    items = [*yaml.safe_load_all(APP), yaml.safe_load(ROLLOUT)]
    config = yaml.safe_load(STEP)
    config["spec"]["ordering"] = "flux"
    given = {"apiVersion": "config.kubernetes.io/v1", "kind": "ResourceList", "items": items, "functionConfig": config}
    _, results, code = answered(yaml.safe_dump(given).encode())
    assert (1, True) == (code, "use `krmfn render -o DIR`" in results[0].message)
