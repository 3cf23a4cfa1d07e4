"""Moving over from a live controller: golden files per commit, laws, and what is refused."""

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from krmfn.cli.commands import commands
from krmfn.errors import KrmfnError
from krmfn.report.sequence import sequence
from krmfn.results import errors
from tests.echoserver import APP, ROLLOUT, contents, write
from tests.moves import MOVES, asked, moving, package
from tests.stories import FIXTURES, Files, edited, picture, rendered, story

UNDER_WAY = sorted(path.parent for path in FIXTURES.glob("under-way/*/case.yaml"))
STORIES = sorted(path.parent for path in FIXTURES.glob("*/*/story.yaml"))
LEAVES = "has no rollout"


def run(*arguments, given=None):
    """Run a command in this process."""
    return CliRunner().invoke(commands, [str(a) for a in arguments], input=given, prog_name="krmfn")


def objects(files: Files) -> dict[str, dict]:
    """Return every object of some files, by kind and name."""
    found = [one for data in files.values() for one in yaml.safe_load_all(data)]
    return {f"{one['kind']} {one['metadata']['name']}": one for one in found}


def moved(files: Files):
    """Return a move and its last files; nothing where it is refused."""
    try:
        move = moving(files)
        return move, move.files(move.length)
    except KrmfnError:
        return None, {}


def named(folder: Path) -> str:
    """Return a fixture as people say it."""
    return f"{folder.parent.name}/{folder.name}"


@pytest.fixture(name="shop")
def _shop(tmp_path):
    """The package in a folder."""
    return write(tmp_path / "shop")


@pytest.mark.parametrize("folder", MOVES, ids=named)
def test_a_move_is_made_commit_by_commit(folder: Path, golden: Callable[[Path, str], None]) -> None:
    """Each commit leaves the files, and the sequence says the words, that the folder of the move holds."""
    move, other = (moving(package(folder), asked(folder), client_side=client) for client in (False, True))
    names = set()
    golden(folder / "sequence.txt", sequence(move))
    for number in range(1, move.length + 1):
        golden(folder / str(number), picture(move.files(number)))
        names.add(str(number))
        if other.files(number) != move.files(number):
            golden(folder / f"{number}-client-side", picture(other.files(number)))
            names.add(f"{number}-client-side")

    assert names == {path.name for path in folder.iterdir() if path.suffix == ""}


@pytest.mark.parametrize("folder", MOVES, ids=named)
def test_a_commit_looks_the_same_whatever_was_made_before(folder: Path) -> None:
    """Made in place after an earlier one, or once more, a commit leaves the same files as from the author's own."""
    move = moving(package(folder), asked(folder))
    for before in range(1, move.length):
        again = moving(move.files(before), asked(folder))
        assert before == again.moves[0].standing
        for number in range(before, move.length + 1):
            assert picture(move.files(number)) == picture(again.files(number))


@pytest.mark.parametrize("folder", MOVES, ids=named)
def test_a_move_ends_at_position_0(folder: Path) -> None:
    """After the last commit krmfn has nothing to change at position 0, and the rollout is for no cluster."""
    move = moving(package(folder), asked(folder))
    files = move.files(move.length)
    after, outcome = rendered(files, asked(folder) | {"step": "0"})

    assert (False, picture(files)) == (outcome.failed, picture(after))
    rollout = objects(files)[f"{move.moves[0].rollout.ref.kind} {move.moves[0].rollout.ref.name}"]
    assert "true" == rollout["metadata"]["annotations"]["config.kubernetes.io/local-config"]
    assert not rollout["metadata"]["annotations"].keys() & {"krmfn.dev/adopt", "helm.sh/resource-policy"}


@pytest.mark.parametrize("folder", MOVES, ids=named)
def test_nothing_leaves_but_the_rollout(folder: Path) -> None:
    """Whatever stands in Git at one commit stands there at the next one as well."""
    move = moving(package(folder), asked(folder))
    there = set(objects(package(folder)))
    for number in range(1, move.length + 1):
        now = set(objects(move.files(number)))
        assert there <= now
        there = now


def pods(found: dict[str, dict], authored: dict[str, dict]) -> list[dict[str, str]]:
    """Return the labels of the pods that workloads have in a cluster once they are ready.

    One that was there before, and of which Git does not say that it has pods, has none.
    """
    labels = []
    for name, one in found.items():
        if one["kind"] not in ("Deployment", "DaemonSet"):
            continue
        template = one["spec"]["template"]
        idle = "flagger.app/scale-to-zero" in template["spec"].get("nodeSelector", {})
        known = 1 if one["kind"] == "DaemonSet" or name not in authored else 0
        if one["spec"].get("replicas", known) and not idle:
            labels.append(template["metadata"]["labels"])
    return labels


def controllers_pods(dialect: str, found: dict[str, dict]) -> list[dict[str, str]]:
    """Return the labels of the pods that a controller runs at rest."""
    owners = [one for one in found.values() if "template" in one.get("spec", {}) and one["kind"] != "Service"]
    labels = [one["spec"]["template"]["metadata"]["labels"] for one in owners]
    if dialect == "argo":
        return [own | {"rollouts-pod-template-hash": "6c9f8b7d5"} for own in labels]
    return [own | {"app": f"{own['app']}-primary"} for own in labels] if dialect == "flagger" else labels


@pytest.mark.parametrize("folder", MOVES, ids=named)
def test_every_service_has_pods_all_along(folder: Path) -> None:
    """At each commit every Service selects pods that were ready before it, and in the end without the controller's."""
    move, authored = moving(package(folder), asked(folder)), objects(package(folder))
    theirs = controllers_pods(folder.parent.name, authored | objects(move.files(move.length)))
    before = pods(authored, authored)
    for number in range(1, move.length + 1):
        now = objects(move.files(number))
        found = (one["spec"] for one in now.values() if one["kind"] == "Service")
        services = [spec["selector"].items() for spec in found if "selector" in spec]
        for chosen in services:
            assert any(chosen <= own.items() for own in (*theirs, *before)), (number, chosen)
        before = pods(now, authored)
    assert all(any(chosen <= own.items() for own in before) for chosen in services)


@pytest.mark.parametrize("folder", STORIES, ids=named)
def test_every_story_can_be_moved_to(folder: Path) -> None:
    """The package of any story moves over and ends at position 0, unless it is refused."""
    move, files = moved(story(folder).files)
    for one in move.moves if move else ():
        after, outcome = rendered(files, {"step": "0", "rollout": one.rollout.ref.name})
        assert (False, picture(files)) == (outcome.failed, picture(after))


@pytest.mark.parametrize("case", UNDER_WAY, ids=lambda case: case.name)
def test_nobody_moves_in_the_middle_of_a_release(case: Path, golden: Callable[[Path, str], None]) -> None:
    """What says that a release is under way is named with its place, and nothing is rendered."""
    given = yaml.safe_load((case / "case.yaml").read_text(encoding="utf-8"))
    files = edited(package(FIXTURES / given["of"]), tuple(given.get("edit") or ()))
    files |= {name: text.encode() for name, text in (given.get("add") or {}).items()}
    with pytest.raises(KrmfnError) as caught:
        moving(files)
    golden(case / "says.txt", "".join(f"{result.line()}\n" for result in errors(caught.value)))


def test_no_two_signs_share_a_message() -> None:
    """A person can tell from the message alone what has been seen."""
    texts = [(case / "says.txt").read_text(encoding="utf-8") for case in UNDER_WAY]

    assert len(texts) == len(set(texts))


def test_the_sequence_is_shown_and_nothing_is_written(shop):
    """Without --commit the commits are printed, at most 100 columns wide, and no file changes."""
    before = contents(shop)
    done = run("adopt", shop)

    assert (0, "") == (done.exit_code, done.stderr)
    assert done.stdout.startswith("Rollout demo/echo moves over in 2 commits.\n\n  1  The Rollout is disabled\n")
    assert 100 >= max(map(len, done.stdout.splitlines()))
    assert before == contents(shop)


def test_the_sequence_says_where_the_package_stands(shop):
    """A commit that was made in place is marked, and its changes are no longer shown."""
    assert 0 == run("adopt", shop, "--commit", 1, "--in-place").exit_code
    shown = run("adopt", shop).stdout

    assert "> 1  The Rollout is disabled\n     Why:" in shown
    assert "  2  The Rollout is no longer applied\n     - Rollout demo/echo\n" in shown


def test_a_commit_can_be_had_in_every_way(shop):
    """A commit goes to standard output or into a folder as a cluster is to have it, or back to where it came from."""
    stream = run("adopt", shop, "--commit", 2)
    into = run("adopt", shop, "--commit", 2, "-o", shop.parent / "out")
    given = run("adopt", "-", "--commit", 2, given=f"{APP}---\n{ROLLOUT}")
    place = run("adopt", shop, "--commit", 2, "--in-place")

    assert [0] * 4 == [done.exit_code for done in (stream, into, given, place)]
    assert stream.stdout == given.stdout == contents(shop.parent / "out")["app.yaml"]
    assert APP == stream.stdout
    assert {"app.yaml", "rollout.yaml", "krmfn-state.yaml"} == {*contents(shop)}
    assert 1 == run("adopt", shop).exit_code
    assert "is rendered by krmfn already" in run("adopt", shop).stderr


def test_a_kustomization_that_does_not_list_a_new_file_is_named(tmp_path):
    """What a commit brings is of no use where a kustomization leaves it out, so that is a warning."""
    shop = tmp_path / "shop"
    shop.mkdir()
    for name, data in package(FIXTURES / "argo" / "adopt-inline").items():
        (shop / name).write_bytes(data)
    listed = "kind: Kustomization\napiVersion: kustomize.config.k8s.io/v1beta1\nresources: [app.yaml, rollout.yaml]\n"
    (shop / "kustomization.yaml").write_text(listed)

    done = run("adopt", shop, "--commit", 1, "--in-place")

    assert 0 == done.exit_code
    assert "does not list rollout-canary.yaml, which is new; add it" in done.stderr


def test_what_could_not_be_released_afterwards_is_not_moved(shop):
    """A step that no provider can express is an error before anything is moved."""
    asked = "matches:\n            - headers: [{name: a, value: b}, {name: c, value: d}]\n"
    write(shop, rollout__yaml=ROLLOUT.replace("traffic: 5%\n", asked))

    done = run("adopt", shop)

    assert (1, "") == (done.exit_code, done.stdout)
    assert "cannot express several conditions in one match" in done.stderr


def test_several_rollouts_move_together(shop):
    """Each rollout of a package has its own sequence, and a commit is made for all of them, or for the one named."""
    write(shop, app2__yaml=APP.replace("echo", "cart"), rollout2__yaml=ROLLOUT.replace("echo", "cart"))
    both, one = run("adopt", shop).stdout, run("adopt", shop, "--rollout", "cart").stdout

    assert 2 == both.count("moves over in 2 commits.")
    assert 1 == one.count("moves over in 2 commits.")
    run("adopt", shop, "--commit", 1, "--in-place")
    assert ["disabled: true"] * 2 == [
        line.strip() for name in ("rollout.yaml", "rollout2.yaml") for line in contents(shop)[name].splitlines()
        if "disabled" in line
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--in-place",), "say which commit"),
        (("--commit", "1", "--in-place", "-o", "out"), "exclude each other"),
        (("--commit", "9"), "the last one is 2"),
        (("--commit", "0"), "0 is not in the range"),
    ],
    ids=["no commit", "two outputs", "too late", "none"],
)
def test_a_command_line_that_makes_no_sense_is_refused(shop, options, said):
    """The exit code is 2, and the message says what is wrong with the options."""
    done = run("adopt", shop, *options)

    assert 2 == done.exit_code
    assert said in done.output


def test_a_package_without_a_rollout_has_nobody_to_move(tmp_path):
    """The message says what a rollout would be."""
    folder = tmp_path / "bare"
    folder.mkdir()
    (folder / "app.yaml").write_text(APP)

    assert LEAVES in run("adopt", folder).stderr


def test_services_that_change_places_may_select_two_versions():
    """Under a controller the idle one of the two keeps the hash of the version before, and no release is under way."""
    files = package(FIXTURES / "argo" / "adopt-ping-pong")
    for name, number in (("ping", "6c9f8b7d5"), ("pong", "5d8f7c6b4")):
        before, start, after = files["app.yaml"].decode().partition(f"  name: rollouts-demo-{name}\n")
        hashed = after.replace("selector:\n", f"selector:\n    rollouts-pod-template-hash: {number}\n", 1)
        files["app.yaml"] = f"{before}{start}{hashed}".encode()
    last = objects(moving(files).files(2))
    chosen = [last[f"Service rollouts-demo-{name}"]["spec"]["selector"] for name in ("ping", "pong")]
    assert [{"app": "rollouts-demo"}] * 2 == chosen


def test_a_null_is_what_the_client_side_needs_and_the_server_side_must_not_get():
    """The hash of a selector is null for hosts of the first kind at one commit, and is nowhere otherwise."""
    files = package(FIXTURES / "argo" / "adopt-referenced")
    server = [objects(moving(files).files(n))["Service reviews-stable"]["spec"]["selector"] for n in (1, 2, 3)]
    client = [
        objects(moving(files, client_side=True).files(n))["Service reviews-stable"]["spec"]["selector"]
        for n in (1, 2, 3)
    ]
    key = "rollouts-pod-template-hash"

    before, after = {"app": "reviews", key: "6c9f8b7d5"}, {"app": "reviews"}
    assert [before, after, after] == server
    assert [before, after | {key: None}, after] == client
