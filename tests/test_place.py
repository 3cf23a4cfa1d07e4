"""Where everything goes, and what becomes of what people did to it."""

import pytest

from krmfn import krm
from tests.echoserver import APP
from tests.releases import PACKAGE, at, edited, said

ADDED = {
    "replicas": ("replicas: 1", "replicas: 4", "Deployment demo/echo-canary spec.replicas: was changed by hand to 4; "),
    "a Service's annotation": (
        "kind: Service\nmetadata:\n",
        "kind: Service\nmetadata:\n  annotations:\n    mine: kept\n",
        "Service demo/echo-canary metadata.annotations: was changed by hand to {'mine': 'kept'}; ",
    ),
}


@pytest.mark.parametrize(("old", "new", "message"), ADDED.values(), ids=ADDED)
def test_what_we_wrote_and_people_changed_is_never_written_over(old: str, new: str, message: str) -> None:
    """An object that we write anew at each step keeps no edits, so an edit is an error that says where to put it."""
    files = edited(at(PACKAGE, "1"), "app-canary.yaml", old, new)
    [error] = said(files, "1")
    assert message in error


@pytest.mark.parametrize(("old", "new", "message"), ADDED.values(), ids=ADDED)
@pytest.mark.parametrize("position", ["0", "complete"])
def test_what_leaves_with_an_edit_in_it_is_named(old: str, new: str, message: str, position: str) -> None:
    """Withdrawing is never held up, and what people changed in an object that leaves is named in a warning."""
    files = edited(at(PACKAGE, "1"), "app-canary.yaml", old, new)
    place = message.partition(": ")[0]
    [warning] = [line for line in said(files, position, severity="warning") if "leaves the package" in line]
    assert f"warning: {place}: was changed by hand here" in warning


def test_an_edit_of_the_canary_s_template_is_an_edit_of_the_release() -> None:
    """It goes into the target, and from there into the workload."""
    files = edited(at(PACKAGE, "1"), "app-canary.yaml", "example.com/echo:1.1", "example.com/echo:1.5")
    files = at(files, "complete", retarget=True)
    assert b"example.com/echo:1.5" in files["app.yaml"]
    assert "app-canary.yaml" not in files


def test_what_people_put_beside_ours_stays_there() -> None:
    """A document of a person's in a file of ours is never touched, whatever comes and goes around it."""
    mine = b"---\n# Mine.\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: mine}\n"
    files = at(PACKAGE, "1")
    files["app-canary.yaml"] += mine
    for position in ("2", "0", "1", "complete"):
        files = at(files, position, retarget=True)
        assert mine.removeprefix(b"---\n") in files["app-canary.yaml"]


def test_a_file_that_is_gone_comes_back() -> None:
    """Objects that we added and a person deleted are added again, as they were."""
    files = at(PACKAGE, "1")
    assert files == at({name: data for name, data in files.items() if name != "app-canary.yaml"}, "1")


NEXT = APP.split("---\n")[0].replace("name: echo\n", "name: next\n", 1).encode()
MOVE = ("rollout.yaml", "kind: Deployment\n    name: echo", "kind: Deployment\n    name: next")


def test_the_rollout_cannot_move_to_another_workload_on_its_way() -> None:
    """While a release is under way the revisions in the state are those of the workload it began with."""
    files = edited(at(PACKAGE | {"next.yaml": NEXT}, "1"), *MOVE)
    [error] = said(files, "1")
    assert "spec.workloadRef: is now Deployment demo/next, and a release of Deployment demo/echo stands at 1" in error


def test_the_rollout_may_move_to_another_workload_between_releases() -> None:
    """At 0 the old one is forgotten, with all that was known of it."""
    files = at(edited(at(PACKAGE | {"next.yaml": NEXT}, "0"), *MOVE), "1")
    assert files["app.yaml"] == PACKAGE["app.yaml"]
    added = [
        (item.ref.kind, item.ref.name) for item in krm.read_files(files.items()).items if "-canary" in item.ref.name
    ]
    assert {("Deployment", "next-canary"), ("Service", "echo-canary"), ("Ingress", "echo-canary")} == set(added)
