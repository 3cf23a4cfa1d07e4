"""All stages of a release in folders, for whoever promotes by copying one, and files that are stale."""

import json

import pytest
import yaml
from click.testing import CliRunner

from krmfn.cli.commands import commands
from tests.echoserver import APP, NEW, ROLLOUT, STEP, contents, write

ALL = ("--image", NEW, "--all-stages")
AHEAD = ["0", "0-to-1-scale", "1", "1-to-2-scale", "2", "promote", "finalise", "complete"]
BACK = [f"{step}-to-0-{half}" for step in ("1", "2") for half in ("shift", "drain")]
BACK += [f"promote-to-0-{half}" for half in ("scale", "shift", "drain")]


def run(*arguments):
    """Run a command in this process."""
    return CliRunner().invoke(commands, [str(a) for a in arguments], prog_name="krmfn")


@pytest.fixture(name="shop")
def _shop(tmp_path):
    """The package in a folder."""
    return write(tmp_path / "shop")


@pytest.fixture(name="out")
def _out(tmp_path):
    """Where stages go."""
    return tmp_path / "out"


def test_every_stage_has_a_folder(shop, out):
    """The commits of the release and of the ways back each have a folder, with what rendering that position gives."""
    done = run("render", shop, *ALL, "-o", out)

    assert 0 == done.exit_code, done.stderr
    assert {*AHEAD, *BACK} == {path.name for path in out.iterdir() if path.is_dir()}
    for folder in ("1-to-2-scale", "2", "2-to-0-drain"):
        edge, dash, half = folder.rpartition("-")
        position = f"{edge.replace('-to-', '>')}/{half}" if dash else folder
        single = out.parent / "single" / folder
        run("render", shop, "--image", NEW, "--step", position, "-o", single)
        there = {name: text for name, text in contents(single).items() if name != ".krmfn"}
        assert there == contents(out / folder)


def test_the_index_says_what_is_where(shop, out):
    """The index lists each stage with its folder, in order, and each edge with the folders on the way and the waits."""
    run("render", shop, *ALL, "-o", out)

    index = json.loads((out / "index.json").read_text())
    assert ("Stages", "echo") == (index["kind"], index["rollout"]["name"])
    assert AHEAD == [stage["directory"] for stage in index["stages"]][: len(AHEAD)]
    assert {*AHEAD, *BACK} == {stage["directory"] for stage in index["stages"]}
    (edge,) = (edge for edge in index["edges"] if (edge["from"], edge["to"]) == ("1", "2"))
    assert ["1-to-2-scale", "2"] == [commit["directory"] for commit in edge["positions"]]
    assert 3 == edge["waitFor"][0]["availableReplicas"]


def test_the_same_package_gives_the_same_bytes(shop, out):
    """Rendering again changes nothing, and neither does the position at which the package stands."""
    run("render", shop, *ALL, "-o", out)
    before = contents(out)
    write(shop, step__yaml=STEP)

    assert 0 == run("render", shop, "--all-stages", "-o", out).exit_code
    assert before == contents(out)
    write(shop, step__yaml=STEP.replace("step: 1", "step: 2"))
    assert 0 == run("render", shop, "--all-stages", "-o", out).exit_code
    assert before == contents(out)


def test_a_step_that_goes_takes_its_folder_along(shop, out):
    """Where the plan has fewer steps, the folders of the others are removed."""
    run("render", shop, *ALL, "-o", out)
    (shop / "rollout.yaml").write_text(
        ROLLOUT.replace("        - traffic: 5%\n          replicas: 1\n", "").replace("          pause: {}\n", "", 1)
    )

    assert 0 == run("render", shop, *ALL, "-o", out).exit_code
    assert not (out / "2").exists()


def test_stages_stand_one_object_a_file_on_request(shop, out):
    """With --one-per-file each stage is laid out so."""
    run("render", shop, *ALL, "--one-per-file", "-o", out)

    assert "demo/deployment-echo-canary.yaml" in contents(out / "1")


def test_a_stamp_is_in_every_stage(shop, out):
    """With isolation track stage 0 stamps the pods, and the stages behind it rely on that."""
    done = run("render", shop, *ALL, "--isolation", "track", "-o", out)

    assert 0 == done.exit_code, done.stderr
    deployment = next(yaml.safe_load_all((out / "0" / "app.yaml").read_text()))
    assert "stable" == deployment["spec"]["template"]["metadata"]["labels"]["krmfn.dev/track"]


@pytest.mark.parametrize(
    ("change", "arguments", "words"),
    [
        ({"rollout__yaml": ROLLOUT.replace("5%", "500%")}, ALL, "traffic"),
        ({}, ("--all-stages",), "the package holds one revision of the workload"),
        ({"rollout__yaml": ROLLOUT.replace("spec:\n", "spec:\n  disabled: true\n", 1)}, ALL, "it is disabled"),
        (
            {"app2__yaml": APP.replace("echo", "cart"), "rollout2__yaml": ROLLOUT.replace("echo", "cart")},
            ALL,
            "--rollout",
        ),
    ],
)
def test_where_a_stage_cannot_be_rendered_nothing_is_written(shop, out, change, arguments, words):
    """An error in any stage, or a second rollout, leaves the folder as it was."""
    write(shop, **change)
    done = run("render", shop, *arguments, "-o", out)

    assert (1, False) == (done.exit_code, out.exists())
    assert words in done.stderr


def test_stale_files_are_named(shop, out):
    """With --check nothing is written, and each file that would be changed, come or go is an error."""
    arguments = ("render", shop, "--image", NEW, "--step", "1", "-o", out)
    assert 1 == run(*arguments, "--check").exit_code
    assert not out.exists()
    run(*arguments)
    assert (0, 0) == (run(*arguments, "--check").exit_code, run(*arguments).exit_code)

    (out / "app.yaml").write_text("edited: by hand\n")
    edited = run(*arguments, "--check")
    assert 1 == edited.exit_code
    assert f"error: {out}/app.yaml is not what krmfn renders" in edited.stderr
    assert "edited: by hand\n" == (out / "app.yaml").read_text()
    gone = run("render", shop, "--image", NEW, "--step", "0", "-o", out, "--check")
    assert f"error: {out}/app-canary.yaml is not" in gone.stderr


def test_files_in_place_are_checked_too(shop):
    """With --in-place --check a package that is at its position is fine, and one that was edited since is not."""
    place = ("render", shop, "--in-place")
    run(*place, "--step", "1", "--image", NEW)
    assert 0 == run(*place, "--check").exit_code

    (shop / "app-canary.yaml").unlink()
    assert 1 == run(*place, "--check").exit_code
    assert not (shop / "app-canary.yaml").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ("--all-stages",),
        ("--all-stages", "--in-place", "-o", "x"),
        ("--all-stages", "--step", "1", "-o", "x"),
        ("--check",),
    ],
)
def test_options_that_contradict_each_other_are_refused(shop, arguments):
    """What makes no sense together ends with 2."""
    assert 2 == run("render", shop, *arguments).exit_code
