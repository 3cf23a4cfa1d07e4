"""The two revisions: where they come from, what people change in between, and what is never lost."""

from typing import Any

import pytest
import yaml

from krmfn import krm
from krmfn.function import render
from krmfn.state import fingerprint
from tests.releases import IMAGE, PACKAGE, at, edited, said
from tests.stories import Files, config, rendered

CONTAINER = "          image: example.com/echo:1.0\n"
NEXT: dict[str, Any] = {"target": {"images": [{"name": "example.com/echo", "newTag": "1.2"}]}}
ENV = "          env:\n            - name: A # the first\n              value: a\n"


def container(files: Files, name: str = "app.yaml") -> dict[str, Any]:
    """Return the container of the Deployment in a file."""
    found: dict[str, Any] = next(yaml.safe_load_all(files[name]))["spec"]["template"]["spec"]["containers"][0]
    return found


def versions(files: Files) -> tuple[str, str]:
    """Return the tags of the stable image and of the canary's."""
    stable, canary = (container(files, name)["image"] for name in ("app.yaml", "app-canary.yaml"))
    return stable.rpartition(":")[2], canary.rpartition(":")[2]


def test_the_config_turns_a_package_forward_or_back() -> None:
    """``target`` says what is new where the package is what runs, ``stable`` what runs where it is what is new."""
    forward = at(PACKAGE, "1")
    back = at(PACKAGE, "1", {"stable": {"images": [{"name": "example.com/echo", "newTag": "0.9"}]}})
    both = at(PACKAGE, "1", {**IMAGE, "stable": {"images": [{"name": "example.com/echo", "newTag": "0.9"}]}})
    assert [("1.0", "1.1"), ("0.9", "1.0"), ("0.9", "1.1")] == [versions(files) for files in (forward, back, both)]


def test_whole_manifests_say_what_runs_now() -> None:
    """The workload is found among them by name; where it is not, or cannot be read, that is said."""
    new = edited(PACKAGE, "app.yaml", "echo:1.0", "echo:1.1")
    package, wanted = krm.read_files(new.items()), config({"step": "1"})
    outcome = render(package, wanted, krm.read_files(PACKAGE.items()))
    assert "step 1 of 2: echo 5 pods, echo-canary 1 pod" in outcome.results[0].line()
    for old, said_of_it in ((b"name: ", "do not have Deployment demo/echo"), (b"template:", "spec.template: is req")):
        broken = {name: data.replace(old, b"x" + old) for name, data in PACKAGE.items()}
        [result] = render(package, wanted, krm.read_files(broken.items())).results
        assert said_of_it in result.line()


def test_one_revision_is_enough_at_the_ends_only() -> None:
    """Where nothing says what the other one is, 0 adopts the package, complete passes it, and all else is an error."""
    for position in ("0", "complete"):
        assert PACKAGE["app.yaml"] == at(PACKAGE, position, {})["app.yaml"]
    [error] = said(PACKAGE, "1", {})
    assert "the package holds one revision of the workload, and this position needs two" in error
    [error] = said(at(PACKAGE, "0", {}), "1", {})
    assert "no release is under way; edit the pod template of the workload to start one" in error


def test_an_edit_after_0_is_a_release() -> None:
    """People release by editing the workload, and what they typed is what comes out at the end, comments and all."""
    files = edited(at(PACKAGE, "0", {}), "app.yaml", CONTAINER, CONTAINER.replace("1.0", "1.1") + ENV)
    wanted = files["app.yaml"]
    files = at(files, "1", {})
    assert ("1.0", "1.1") == versions(files)
    assert b"env" not in files["app.yaml"]
    for position in ("2", "promote", "finalise", "complete"):
        files = at(files, position, {})
    assert wanted == files["app.yaml"]


def test_an_edit_in_the_middle_changes_the_release_within_step_one_or_when_told_so() -> None:
    """A position counts for the version that it was set for."""
    files = edited(at(PACKAGE, "2"), "app.yaml", CONTAINER, CONTAINER + ENV)
    [error] = said(files, "2")
    assert "template has changed (spec.containers[echo].env) and position 2 was set for another version" in error
    for position, more in (("1", {}), ("0>1/scale", {}), ("2", {"retarget": True})):
        after = at(files, position, **more)
        assert "env" not in container(after)
        assert [{"name": "A", "value": "a"}] == container(after, "app-canary.yaml")["env"]


def test_a_bot_after_the_end_cannot_ship_to_everyone() -> None:
    """A new image at complete is an error that says how to start it, and starts at 0."""
    files = edited(at(PACKAGE, "complete"), "app.yaml", "echo:1.1", "echo:1.2")
    [error] = said(files, "complete", {})
    assert "start the new one with step 0 or 1/scale" in error
    files = at(at(files, "0", {}), "1", {})
    assert ("1.1", "1.2") == versions(files)


def test_the_config_counts_once_for_each_wording() -> None:
    """What people edit after it stays, and the next wording is a new version."""
    files = at(edited(at(PACKAGE, "1"), "app.yaml", CONTAINER, CONTAINER + ENV), "1")
    assert "env" in container(at(files, "1"), "app-canary.yaml")
    files = at(files, "1", NEXT)
    assert (("1.0", "1.2"), True) == (versions(files), "env" in container(files, "app-canary.yaml"))


CLASHES = {
    "in the workload and the config": (
        [("app.yaml", "echo:1.0", "echo:7")],
        NEXT,
        "spec.template.spec.containers[echo].image: was changed by hand to 'example.com/echo:7', and `target`",
    ),
    "in the workload and the canary": (
        [("app.yaml", "echo:1.0", "echo:7"), ("app-canary.yaml", "echo:1.1", "echo:8")],
        IMAGE,
        "was changed to 'example.com/echo:7' here and to 'example.com/echo:8' in the canary",
    ),
}


@pytest.mark.parametrize(("edits", "spec", "message"), CLASHES.values(), ids=CLASHES)
def test_two_opinions_on_one_field_are_an_error(
    edits: list[tuple[str, str, str]], spec: dict[str, Any], message: str
) -> None:
    """Nobody's edit wins in silence."""
    files = at(PACKAGE, "1")
    for edit in edits:
        files = edited(files, *edit)
    [error] = said(files, "1", spec)
    assert message in error


def test_the_same_opinion_twice_is_one() -> None:
    """An edit in the workload and the same one in the canary are one edit, and edits of two fields are two."""
    files = edited(at(PACKAGE, "1"), "app.yaml", "echo:1.0", "echo:7")
    files = edited(files, "app-canary.yaml", "echo:1.1", "echo:7")
    files = at(files, "1")
    assert versions(files) == ("1.0", "7")
    files = edited(files, "app.yaml", CONTAINER, CONTAINER + ENV)
    files = edited(files, "app-canary.yaml", "      - name: echo\n", "      - name: echo\n        args: [x]\n")
    canary = container(at(files, "1"), "app-canary.yaml")
    assert (["x"], "A") == (canary["args"], canary["env"][0]["name"])


def test_an_edit_and_its_undoing_leave_nothing() -> None:
    """What was changed and changed back is no version of its own."""
    files = at(PACKAGE, "0", {})
    there = at(edited(files, "app.yaml", "echo:1.0", "echo:1.1"), "1", {})
    back = edited(there, "app-canary.yaml", "echo:1.1", "echo:1.0")
    [error] = said(back, "1", {})
    assert "the stable and the target pod template are the same" in error


def test_a_state_that_was_touched_is_refused() -> None:
    """Its digest shows an edit, or a merge that mixed two of them."""
    files = edited(at(PACKAGE, "1"), "krmfn-state.yaml", 'position: "1"', 'position: "2"')
    [error] = said(files, "1")
    assert "RolloutState krmfn-state spec.digest: was changed since krmfn wrote it" in error


SETTINGS = "---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n  namespace: demo\ndata:\n  a: {name}\n"
FROM = "          envFrom:\n            - {kind}Ref: {{name: {name}}}\n"


def mounting(kind: str, name: str) -> Files:
    """Return the package with a container that reads its variables from an object."""
    return edited(PACKAGE, "app.yaml", CONTAINER, CONTAINER + FROM.format(kind=kind, name=name))


def test_what_stable_pods_mount_stays_while_they_run() -> None:
    """A ConfigMap that the new version no longer has is kept, marked as ours, and leaves with the old pods."""
    files = mounting("configMap", "one") | {"one.yaml": SETTINGS.format(name="one").encode()}
    files = edited(at(files, "0", {}), "app.yaml", "name: one", "name: two")
    files = {**files, "one.yaml": SETTINGS.format(name="two").encode()}
    kept = {}
    for position in ("1", "2", "promote", "complete"):
        files = at(files, position, {})
        items = krm.read_files(files.items()).items
        kept[position] = {item.ref.name: item.value["data"] for item in items if item.ref.kind == "ConfigMap"}
    both = {"one": {"a": "one"}, "two": {"a": "two"}}
    assert {"1": both, "2": both, "promote": {"two": {"a": "two"}}, "complete": {"two": {"a": "two"}}} == kept


def test_a_secret_is_not_kept_and_missed() -> None:
    """Nothing secret is written into the state; that it has to stay in the cluster is a warning."""
    files = edited(at(mounting("secret", "one"), "0", {}), "app.yaml", "name: one", "name: two")
    [warning] = [line for line in said(files, "1", {}, severity="warning") if "Secret" in line]
    assert "stable pods mount the Secret one, which is not in the package any more" in warning


def test_a_name_that_kustomize_has_yet_to_hash_is_refused() -> None:
    """Both revisions would get the new content."""
    generated = SETTINGS.format(name="one").replace(
        "  name: one\n", '  name: one\n  annotations: {kustomize.config.k8s.io/needs-hash: "true"}\n'
    )
    [error] = said(mounting("configMap", "one") | {"one.yaml": generated.encode()}, "1")
    assert "both revisions mount the generated ConfigMap one, to whose name kustomize has yet to add its hash" in error


VOLUMES = """\
      volumes:
        - {name: a, configMap: {name: in-volume}}
        - {name: b, projected: {sources: [{configMap: {name: projected}}, {secret: {name: hidden}}]}}
        - {name: c, emptyDir: {}}
      initContainers:
        - name: init
          image: example.com/init:1
          env:
            - name: V
              valueFrom: {configMapKeyRef: {name: in-variable, key: a}}
            - {name: W, value: w}
"""


def test_every_way_of_mounting_is_known() -> None:
    """Volumes, projected ones, single variables and whole sets of them, in init containers as well."""
    files = edited(PACKAGE, "app.yaml", "      containers:\n", f"{VOLUMES}      containers:\n")
    names = ("in-volume", "projected", "in-variable")
    files |= {f"{name}.yaml": SETTINGS.format(name=name).encode() for name in names}
    files = at(files, "0", {})
    for name in (*names, "hidden"):
        files = edited(files, "app.yaml", f"name: {name}", "name: other")
    after, outcome = rendered({k: v for k, v in files.items() if k.removesuffix(".yaml") not in names}, {"step": "1"})
    kept = {item.ref.name for item in krm.read_files(after.items()).items if item.ref.kind == "ConfigMap"}
    assert set(names) == kept
    assert any("mount the Secret hidden" in result.line() for result in outcome.results)


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ({"a": 1, "b": {"c": 2, "d": 3}}, {"b": {"d": 3, "c": 2}, "a": 1}, True),
        ([{"name": "web", "image": "i"}], [{"image": "i", "name": "web"}], True),
        ({"a": 1}, {"a": 1.0}, True),
        ({"a": 1}, {"a": "1"}, False),
        ({"a": 1}, {"a": True}, False),
        ([1, 2], [2, 1], False),
    ],
)
def test_a_version_is_known_by_what_it_means(one: Any, other: Any, alike: bool) -> None:  # noqa: FBT001
    """A formatter sorts keys and makes no new version; another value or another order of a list does."""
    assert alike is (fingerprint(one, 5) == fingerprint(other, 5))
