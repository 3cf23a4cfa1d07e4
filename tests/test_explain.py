"""A rollout in plain words: golden texts beside the stories, the forms, and what cannot be kept."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from krmfn import krm
from krmfn.cli.commands import commands
from krmfn.config import Config
from krmfn.report import telling
from krmfn.report.explanation import explanations
from krmfn.report.outlook import Prospect
from tests.echoserver import APP, NEW, ROLLOUT, contents, write
from tests.moves import package
from tests.stories import FIXTURES, story

STORIES = sorted(path.parent for path in FIXTURES.glob("*/*/explain.txt"))
SECTIONS = ["released", "requests", "stages", "pods"]


def run(*arguments):
    """Run a command in this process."""
    return CliRunner().invoke(commands, [str(a) for a in arguments], prog_name="krmfn")


def unwrapped(text):
    """Return a text without its line breaks."""
    return " ".join(text.split())


@pytest.fixture(name="shop")
def _shop(tmp_path):
    """The package in a folder."""
    return write(tmp_path / "shop")


@pytest.mark.parametrize("folder", STORIES, ids=lambda folder: f"{folder.parent.name}/{folder.name}")
def test_a_story_is_explained(folder: Path, golden: Callable[[Path, str], None]) -> None:
    """The explanation of a story's rollout is the one beside it, and no line is wider than a terminal."""
    package = krm.read_files(story(folder).files.items())
    found, problems = explanations(Prospect(package, Config()))
    text = telling.text(found)

    assert [] == problems
    assert 100 >= max(map(len, text.splitlines()))
    golden(folder / "explain.txt", text)


def test_every_dialect_is_explained():
    """There is a golden text for each of the dialects."""
    assert {"argo", "flagger", "kruise", "kubevela"} == {folder.parent.name for folder in STORIES}


def test_the_new_version_need_not_be_known(shop):
    """A rollout is explained from one revision as it is from two, and nothing is written."""
    before = contents(shop)
    alone, both = run("explain", shop), run("explain", shop, "--image", NEW)

    assert 0 == alone.exit_code == both.exit_code
    assert "The canary gets 5% of the requests" in unwrapped(alone.stdout)
    assert alone.stdout == both.stdout
    assert before == contents(shop)


def test_a_version_label_may_stay_as_it_is(shop):
    """Where a version label tells pods apart, the explanation says that leaving it as it is means another way."""
    write(
        shop, app__yaml=APP.replace("        app: echo\n    spec:", "        app: echo\n        version: a\n    spec:")
    )

    said = unwrapped(run("explain", shop).stdout)

    assert "By the label version of the pods" in said
    assert "For a release that leaves version as it is krmfn takes another way, or says what to do." in said


def test_a_label_that_the_rollout_gives_is_said_to_be_its_own():
    """It tells the sides apart in every release, so nothing is said about versions that have the same one."""
    told = story(FIXTURES / "kruise" / "pod-metadata")
    found, _ = explanations(Prospect(krm.read_files(told.files.items()), Config()))
    text = unwrapped(telling.text(found))
    assert "By the label color of the pods, which the rollout gives each side." in text
    assert "For a release that leaves" not in text


def test_every_refused_field_is_named_with_what_to_do(shop):
    """All that cannot be kept is said at once, field by field, the stages are left out, and the exit code is 1."""
    wrong = ROLLOUT.replace("traffic: 5%", "traffic: 200%").replace("replicas: 50%", "replicas: 33.3%")
    write(shop, rollout__yaml=wrong)

    done = run("explain", shop)

    assert 1 == done.exit_code
    assert "What cannot be kept, and what to do instead" in done.stdout
    assert "steps[0].traffic" in done.stdout
    assert "steps[1].replicas" in done.stdout
    assert "What each stage does" not in done.stdout


def test_what_a_provider_cannot_say_is_found_without_a_new_version(shop):
    """A step that its provider cannot express is named although nobody has said what is to be released."""
    asked = "matches:\n            - headers: [{name: a, value: b}, {name: c, value: d}]\n"
    write(shop, rollout__yaml=ROLLOUT.replace("traffic: 5%\n", asked))

    done = run("explain", shop)

    assert 1 == done.exit_code
    assert "cannot express several conditions in one match" in unwrapped(done.stdout)


def test_json_has_the_same_to_say(shop):
    """The document names the rollout, whether it can be released, and each section with its entries."""
    whole = json.loads(run("explain", shop, "-o", "json").stdout)
    (found,) = whole["rollouts"]

    assert ("krmfn.dev/v1alpha1", "Explanation") == (whole["apiVersion"], whole["kind"])
    assert ["rollout", "releasable", "sections", "refused"] == list(found)
    assert (True, []) == (found["releasable"], found["refused"])
    assert SECTIONS == list(found["sections"])
    stages = [entry["about"] for entry in found["sections"]["stages"]]
    assert ["0", "1", "2", "promote", "finalise", "complete", "back"] == stages


def test_markdown_has_a_heading_for_each_question(shop):
    """A pull request shows the same sections as headings, with a list under each."""
    text = run("explain", shop, "-o", "markdown").stdout

    assert text.startswith("## Rollout demo/echo\n\n### What is released\n\n- ")
    assert "- **promote**: 5 stable pods of the new version" in text


@pytest.mark.parametrize("move", ["argo/adopt-alb", "argo/adopt-inline", "argo/adopt-referenced"])
def test_what_a_controller_runs_is_explained_as_it_will_be(move, tmp_path):
    """Where moving over is all that is missing, that is said first, then what a release will be, then what is wrong."""
    for name, data in package(FIXTURES / move).items():
        (tmp_path / name).write_bytes(data)

    done = run("explain", tmp_path)

    assert (1, "") == (done.exit_code, done.stderr)
    assert f"a controller runs this now. `krmfn adopt {tmp_path}` moves it over, in " in unwrapped(done.stdout)
    titles = ["Who runs it now", "What is released", "What each stage does", "What moving over changes first"]
    assert titles == [line for line in done.stdout.splitlines() if line in (*titles, "What cannot be kept")]


def test_what_moving_over_does_not_change_is_refused_as_ever(shop):
    """A rollout that has a mistake beside the traces of its controller is told what is wrong, and nothing else."""
    for name, data in package(FIXTURES / "argo" / "adopt-alb").items():
        (shop / name).write_bytes(data.replace(b"setWeight: 20", b"setWeight: 200"))

    assert "Who runs it now" not in run("explain", shop, "--rollout", "tickets").stdout


def test_a_package_without_a_rollout_is_an_error(tmp_path):
    """There is nothing to explain, and the message says what a rollout would be."""
    folder = tmp_path / "bare"
    folder.mkdir()
    (folder / "app.yaml").write_text(APP)

    done = run("explain", folder)

    assert (1, "") == (done.exit_code, done.stdout)
    assert "the package has no rollout" in done.stderr
