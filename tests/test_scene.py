"""What we were given, minus what we made ourselves."""

from typing import Any

import pytest
import yaml

from krmfn import krm
from krmfn.errors import KrmfnError
from krmfn.krm.item import Ref
from krmfn.plan import Plan
from krmfn.scene import MANY, Scene, bare
from tests.echoserver import APP, ROLLOUT
from tests.releases import LABEL, LABELLED, PACKAGE, at, edited, said

SERVICE = Ref("v1", "Service", "demo", "echo")
BY = Ref("rollouts.kruise.io/v1beta1", "Rollout", "demo", "echo")


def scene(*texts: str) -> Scene:
    """Return the scene of some files."""
    return Scene(krm.read_files((f"{number}.yaml", text.encode()) for number, text in enumerate(texts)))


@pytest.mark.parametrize("looked_up", [0, MANY + 1])
def test_an_object_is_found_by_group_kind_namespace_and_name(looked_up: int) -> None:
    """Any version of it will do, no other namespace will, however many were looked up before."""
    given = scene(APP, APP.replace("namespace: demo", "namespace: other"))
    for _ in range(looked_up):
        given.lookup(SERVICE)
    assert [given.require(SERVICE.replace(namespace=place), BY, "x").path for place in ("demo", "other")] == [
        "0.yaml",
        "1.yaml",
    ]
    assert given.lookup(SERVICE.replace(api_version="v2")) is not None
    assert given.lookup(SERVICE.replace(namespace="")) is None
    assert given.lookup(SERVICE.replace(api_version="serving.knative.dev/v1")) is None


NEAR = {
    "a typo": (SERVICE.replace(name="ehco"), "did you mean 'echo'?"),
    "another namespace": (SERVICE.replace(namespace="prod"), "there is one in namespace 'demo'"),
    "no namespace": (SERVICE.replace(namespace=""), "there is one in namespace 'demo'"),
    "another group": (
        SERVICE.replace(api_version="serving.knative.dev/v1"),
        "there is one of v1, and only those of serving.knative.dev are rendered",
    ),
    "another name": (SERVICE.replace(name="database"), "its Services are echo"),
    "none of the kind": (SERVICE.replace(kind="Secret"), "it has no Secret"),
}


@pytest.mark.parametrize(("ref", "hint"), NEAR.values(), ids=NEAR)
def test_what_is_missing_is_said_with_what_is_there(ref: Ref, hint: str) -> None:
    """A reference to nothing names the nearest thing."""
    with pytest.raises(KrmfnError, match="which is not in the package; ") as caught:
        scene(APP).require(ref, BY, "spec.workloadRef.name")
    assert hint in caught.value.message
    assert (BY, "spec.workloadRef.name") == (caught.value.ref, caught.value.field)


def test_an_object_without_a_namespace_is_said_with_what_to_write() -> None:
    """Of a rollout with a namespace and a Service without one, the Service is named with the line that it lacks."""
    plain = APP.replace("  namespace: demo\n", "").replace("namespace: demo, ", "").replace(", namespace: demo", "")
    with pytest.raises(KrmfnError, match="without a namespace; write `namespace: demo` there, too"):
        scene(plain).require(SERVICE, BY, "spec.workloadRef.name")


@pytest.mark.parametrize("looked_up", [0, MANY + 1])
def test_of_two_objects_of_one_name_none_is_chosen(looked_up: int) -> None:
    """What is there twice is an error that names both files, unless one of them is a hook of Helm's."""
    twin = APP.split("---\n")[1]
    given = scene(APP, twin)
    for _ in range(looked_up):
        given.lookup(SERVICE)
    with pytest.raises(KrmfnError, match=r"2 times.*keep one of 0\.yaml\[1\], 1\.yaml\[0\]"):
        given.require(SERVICE, BY, "x")
    hook = twin.replace("metadata:\n", "metadata:\n  annotations: {helm.sh/hook: test}\n", 1)
    assert scene(APP, hook).require(SERVICE, BY, "x").path == "0.yaml"


def test_what_krmfn_wrote_is_set_apart() -> None:
    """Objects that we added are no objects of the author's, and edited ones are as the author wrote them."""
    files = at(PACKAGE, "promote")
    given = Scene(krm.read_files(files.items()))
    assert {"Deployment", "Service", "Ingress"} == {item.ref.kind for item in given.added.values()}
    assert given.lookup(SERVICE.replace(name="echo-canary")) is None
    assert given.require(SERVICE, BY, "x").raw == Scene(krm.read_files(PACKAGE.items())).require(SERVICE, BY, "x").raw


def test_a_field_that_both_sides_changed_is_an_error() -> None:
    """A pinned selector that a person edits is neither lost nor taken for ours."""
    files = at(LABELLED, "1", LABEL)
    [error] = said(edited(files, "app.yaml", "version: v1\n  ports:", "version: v9\n  ports:"), "2", LABEL)
    assert "spec.selector.version: was set by krmfn to 'v1' and changed by hand to 'v9'" in error


def test_a_field_beside_ours_is_kept() -> None:
    """What a person adds to a mapping in which we changed a field is there at every later position."""
    files = edited(
        at(LABELLED, "1", LABEL), "app.yaml", "version: v1\n  ports:", "version: v1\n    tier: web\n  ports:"
    )
    for position, pin in (("2", "\n    version: v1"), ("promote", ""), ("2>0/shift", "\n    version: v1"), ("0", "")):
        files = at(files, position, LABEL)
        selector = yaml.safe_load(files["app.yaml"].decode().split("---\n")[1])["spec"]["selector"]
        assert {"app": "echo", "tier": "web"} | ({"version": "v1"} if pin else {}) == selector


@pytest.mark.parametrize("place", ["    app: echo\n    version: v1\n", "    version: v1\n  ports:"])
def test_rendering_again_changes_nothing_whatever_people_did(place: str) -> None:
    """A key that a person puts in front of another one in a field of ours stays there, and a second run agrees."""
    line = "    tier: web\n"
    files = at(edited(at(LABELLED, "1", LABEL), "app.yaml", f"{place}", f"{line}{place}"), "1", LABEL)
    assert files == at(files, "1", LABEL)
    assert f"{line}{place}" in files["app.yaml"].decode()


def test_two_states_are_one_too_many() -> None:
    """A merge that left two RolloutStates is an error that names both files."""
    files = at(PACKAGE, "1")
    [error] = said(files | {"old.yaml": files["krmfn-state.yaml"].replace(b"krmfn-state", b"old-state", 1)}, "1")
    assert "2 RolloutStates; give krmfn each of their folders by itself, or keep the one that krmfn wrote last" in error


def test_objects_of_ours_without_their_state_are_refused() -> None:
    """Without the state nobody knows what the author wrote, so there is nothing to start from."""
    files = at(PACKAGE, "1")
    del files["krmfn-state.yaml"]
    [error] = said(files, "1")
    assert "the RolloutState that belongs to it is missing; restore the state from Git" in error


def test_a_rollout_that_went_away_in_the_middle_is_missed() -> None:
    """Its canary would stay for good."""
    files = at(PACKAGE, "1")
    other = ROLLOUT.replace("name: echo\n  namespace", "name: other\n  namespace", 1).encode()
    [error] = said(files | {"rollout.yaml": other}, "1")
    assert "Rollout demo/echo: is gone while its release stands at position 1" in error


def test_bare_manifests_have_no_trace_of_a_host() -> None:
    """The annotations by which hosts keep track of an object are no part of it; local-config is."""
    kept = {"config.kubernetes.io/local-config": "true", "mine": "x"}
    hosts = {"internal.config.kubernetes.io/path": "a", "config.kubernetes.io/index": "0", "config.k8s.io/id": "1"}
    assert {"metadata": {"annotations": kept}} == bare({"metadata": {"annotations": hosts | kept}})
    assert {"kind": "x", "metadata": {"name": "y"}} == bare(
        {"kind": "x", "metadata": {"name": "y", "annotations": hosts}}
    )


MADE = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "echo-made", "namespace": "demo"}, "spec": {}}


def makes(*manifests: dict[str, Any]) -> Plan:
    """Return a plan that makes objects."""
    return Plan(BY, BY, "spec", "twin", (), makes=manifests)


def test_what_a_rollout_makes_is_found_as_if_its_author_had_written_it() -> None:
    """By name, by kind, beside what is in the package; and it says whose it is."""
    given = scene(APP)
    given.supply(makes(MADE))
    made = given.require(SERVICE.replace(name="echo-made"), BY, "spec")
    assert made.value["metadata"]["labels"] == {"krmfn.dev/rollout": "echo"}
    assert [item.ref.name for item in given.of_kind("", "Service")] == ["echo", "echo-made"]


def test_what_a_rollout_makes_takes_the_place_of_nothing() -> None:
    """An author's object of that name is named in an error."""
    with pytest.raises(KrmfnError, match="is in the package, and Rollout demo/echo makes an object of that name"):
        scene(APP).supply(makes(MADE | {"metadata": {"name": "echo", "namespace": "demo"}}))
