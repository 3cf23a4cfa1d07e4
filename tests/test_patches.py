"""Overrides in kustomize's words, held against what kustomize itself makes of them."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from krmfn import krm
from krmfn.errors import KrmfnError
from krmfn.fields import Fields
from krmfn.krm.item import Ref
from krmfn.patches import Image, Overrides, apply, image, merged, read, split
from tests.hosts import programs

REF = Ref("apps/v1", "Deployment", "", "web")
CONTAINERS: list[dict[str, Any]] = [
    {"name": "web", "image": "shop/web:1.0", "env": [{"name": "A", "value": "a"}, {"name": "B", "value": "b"}]},
    {"name": "side", "image": "registry.example.com:5000/shop/side@sha256:12", "args": ["--a", "--b"]},
]
WORKLOAD: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web"},
    "spec": {
        "selector": {"matchLabels": {"app": "web"}},
        "template": {
            "metadata": {"labels": {"app": "web", "version": "v1"}},
            "spec": {"containers": CONTAINERS, "initContainers": [{"name": "init", "image": "shop/web"}]},
        },
    },
}


def pods(**spec: Any) -> dict[str, Any]:
    """Return a patch of the pods' spec."""
    return {"spec": {"template": {"spec": spec}}}


PATCHES: dict[str, dict[str, Any] | list[Any]] = {
    "a value of one variable": pods(containers=[{"name": "web", "env": [{"name": "B", "value": "c"}]}]),
    "a field removed": pods(containers=[{"name": "web", "env": None}]),
    "an entry removed": pods(containers=[{"name": "side", "$patch": "delete"}]),
    "a list replaced": pods(containers=[{"$patch": "replace"}, {"name": "only", "image": "x"}]),
    "a mapping replaced": {"spec": {"template": {"metadata": {"labels": {"$patch": "replace", "app": "web"}}}}},
    "a list that is one value": pods(containers=[{"name": "side", "args": ["--c"]}]),
    "a new mapping": pods(securityContext={"runAsUser": 1, "fsGroup": None}),
    "json": [{"op": "replace", "path": "/spec/template/metadata/labels/version", "value": "v2"}],
    "json removal": [{"op": "remove", "path": "/spec/template/spec/containers/0/env/1"}],
}
IMAGES = {
    "a tag": Image("shop/web", new_tag="2.0"),
    "a name": Image("shop/web", "other/web"),
    "a digest": Image("shop/web", digest="sha256:34"),
    "a tag for a digest": Image("registry.example.com:5000/shop/side", new_tag="2"),
    "a name and a tag": Image("shop/web", "localhost:5000/web", "2.0"),
}


def built(folder: Path, environment: Mapping[str, str], **kustomization: Any) -> Any:
    """Return what kustomize makes of the workload."""
    (folder / "web.yaml").write_text(krm.dump(WORKLOAD))
    (folder / "kustomization.yaml").write_text(krm.dump({"resources": ["web.yaml"], **kustomization}))
    ran = programs.run(["kustomize", "build", str(folder)], cwd=folder, environment=environment)
    assert ran.code == 0, ran.err
    return yaml.safe_load(ran.out)


def by_name(value: Any) -> Any:
    """Return a value in which entries with names are in their order: kustomize puts those that it patches first."""
    if isinstance(value, list):
        named = all(isinstance(entry, dict) and "name" in entry for entry in value)
        entries = map(by_name, value)
        return sorted(entries, key=lambda entry: str(entry["name"])) if named else list(entries)
    return {key: by_name(inner) for key, inner in value.items()} if isinstance(value, dict) else value


@pytest.mark.parametrize("patch", PATCHES.values(), ids=PATCHES)
def test_patches_mean_what_kustomize_means(
    tmp_path: Path, environment: Mapping[str, str], kustomize: str, patch: Any
) -> None:
    """A strategic merge or a JSON 6902 patch does to a workload what the real kustomize does."""
    assert kustomize
    whole = patch if isinstance(patch, list) else {k: WORKLOAD[k] for k in ("apiVersion", "kind", "metadata")} | patch
    entry = {"patch": json.dumps(whole), "target": {"kind": "Deployment"}}
    expected = built(tmp_path, environment, patches=[entry])
    assert by_name(expected) == by_name(apply(Overrides((), (patch,)), WORKLOAD, REF))


@pytest.mark.parametrize("wanted", IMAGES.values(), ids=IMAGES)
def test_images_mean_what_kustomize_means(
    tmp_path: Path, environment: Mapping[str, str], kustomize: str, wanted: Image
) -> None:
    """An image is found by name and set as the real kustomize sets it, in every kind of container."""
    assert kustomize
    entry = {"name": wanted.name, "newName": wanted.new_name, "newTag": wanted.new_tag, "digest": wanted.digest}
    expected = built(tmp_path, environment, images=[{key: value for key, value in entry.items() if value}])
    assert expected == apply(Overrides((wanted,)), WORKLOAD, REF)


def test_the_workload_itself_stays_as_it_was() -> None:
    """Overrides are made to a copy."""
    before = json.dumps(WORKLOAD)
    apply(Overrides((Image("shop/web", new_tag="2"),), (*PATCHES.values(),)[:3]), WORKLOAD, REF)
    assert before == json.dumps(WORKLOAD)


WRONG: dict[str, tuple[Overrides, str]] = {
    "an image that nobody runs": (Overrides((Image("shop/wbe"),)), "no container runs an image named 'shop/wbe'; "),
    "one entry of a list replaced": (
        Overrides((), (pods(containers=[{"name": "web", "$patch": "replace", "image": "x"}]),)),
        "is an entry of its own, and replaces the whole list",
    ),
    "an entry without its name": (Overrides((), (pods(containers=[{"image": "x"}]),)), "has no 'name', by which"),
    "a path that leads nowhere": (Overrides((), ([{"op": "remove", "path": "/spec/x"}],)), "cannot be applied: "),
    "a test that fails": (Overrides((), ([{"op": "test", "path": "/kind", "value": "Pod"}],)), "cannot be applied: "),
    "an operation that is none": (Overrides((), ([{"op": "swap", "path": "/kind"}],)), "cannot be applied: "),
    "an operation of a list": (Overrides((), ([1],)), "cannot be applied: "),
    "a template removed": (Overrides((), ({"spec": {"template": None}},)), "is required, once the patches"),
    "everything removed": (Overrides((), ([{"op": "replace", "path": "", "value": 1}],)), "once the patches"),
    "a list for a mapping": (Overrides((), ({"spec": []},)), "is required, once the patches"),
}


@pytest.mark.parametrize(("overrides", "said"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_done_is_said(overrides: Overrides, said: str) -> None:
    """Overrides that do not fit are an error, never a workload that lacks something."""
    with pytest.raises(KrmfnError, match=said):
        apply(overrides, WORKLOAD, REF)


@pytest.mark.parametrize("text", ["web", "web=", "=web:1", ""])
def test_an_image_has_a_name_and_a_reference(text: str) -> None:
    """``--image`` is NAME=REF, and anything else says so."""
    with pytest.raises(KrmfnError, match="write NAME=REF"):
        image(text)


@pytest.mark.parametrize(
    ("ref", "parts"),
    [
        ("web", ("web", "", "")),
        ("localhost:5000/web", ("localhost:5000/web", "", "")),
        ("localhost:5000/web:1@sha256:2", ("localhost:5000/web", "1", "sha256:2")),
    ],
)
def test_a_port_is_no_tag(ref: str, parts: tuple[str, str, str]) -> None:
    """The tag stands behind the last slash."""
    assert parts == split(ref)


def test_a_patch_is_a_text_or_itself() -> None:
    """Kustomize writes patches as text; both forms mean the same, and one that is neither is said with its place."""
    text = {"patches": [{"patch": "spec: {a: 1}"}, {"patch": {"spec": {"a": 1}}}, {"spec": {"a": 1}}, "spec: {a: 1}"]}
    assert ({"spec": {"a": 1}},) * 4 == read(Fields(text)).patches
    place = Fields({"patches": [1, {"patch": "a: [\n"}]})
    assert () == read(place).patches
    assert ["patches[0]", "patches[1].patch", "patches[1]"] == [problem.field for problem in place.problems]


def test_a_merge_of_anything_else_takes_the_patch() -> None:
    """Where the two are not of one kind the patch wins, without its directives."""
    assert {"a": 1} == merged("text", {"a": 1, "b": None, "$patch": "merge"})
