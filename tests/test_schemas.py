"""Everything that is emitted is valid: built-in kinds strictly, for the newest two versions of Kubernetes."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml

from krmfn import krm
from tests.stories import FIXTURES, ROOT, Files, play, story

STORIES = sorted(path.parent for path in FIXTURES.glob("*/*/story.yaml"))
CRDS = ROOT.parent / "shared" / "crds"
OURS = "krmfn.dev/v1alpha1"
# The groups with a dot whose kinds every API server has.
BUILT_IN = ("networking.k8s.io", "rbac.authorization.k8s.io", "storage.k8s.io")


@cache
def versions() -> tuple[str, ...]:
    """Return the newest two minor versions that schemas exist for."""
    folder = Path(kubernetes_validate.__file__).parent / "kubernetes-json-schema"
    found = {tuple(int(part) for part in path.name[1:].split("-")[0].split(".")[:2]) for path in folder.glob("v*")}
    return tuple(f"{major}.{minor}" for major, minor in sorted(found)[-2:])


@cache
def custom(group: str, kind: str, version: str) -> Any:
    """Return the schema of a custom kind, None where that of this version is not at hand."""
    for path in CRDS.glob(f"*.{group}.yaml"):
        spec = yaml.safe_load(path.read_text())["spec"]
        if spec["names"]["kind"] == kind:
            return next((v["schema"]["openAPIV3Schema"] for v in spec["versions"] if v["name"] == version), None)
    return None


@cache  # most objects of a frame are those of the frame before
def faults(text: str) -> frozenset[tuple[str, str, str]]:
    """Return what the schema of its custom kind has against an object; an author's own spelling may be one.

    Raises where an object of a built-in kind is not valid.
    """
    value = json.loads(text)
    group, _, version = value["apiVersion"].rpartition("/")
    if "." not in group or group in BUILT_IN:
        for desired in versions():
            kubernetes_validate.validate(value, desired, strict=True)
        return frozenset()
    schema = custom(group, value["kind"], version)
    # OpenAPI 3.0, in which exclusiveMaximum is a flag, is that draft.
    found = jsonschema.Draft4Validator(schema).iter_errors(value) if schema else ()
    return frozenset((value["kind"], error.json_path, error.message) for error in found)


def objects(files: Files) -> list[str]:
    """Return the objects of a package but for our own, as JSON."""
    items = krm.read_files(files.items()).items
    return [json.dumps(item.value) for item in items if item.ref.api_version != OURS]


@pytest.mark.parametrize("folder", STORIES, ids=lambda folder: f"{folder.parent.name}/{folder.name}")
def test_every_object_of_every_frame_is_valid(folder: Path) -> None:
    """The API server would take each object that a story leaves behind."""
    told = story(folder)
    forgiven = {fault for text in objects(told.files) for fault in faults(text)}
    for frame, files, _ in play(told):
        found = objects(files)

        assert found
        assert set() == {fault for text in found for fault in faults(text)} - forgiven, frame
