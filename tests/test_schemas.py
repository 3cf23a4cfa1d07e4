"""Everything that is emitted is valid: built-in kinds strictly, for the newest two versions of Kubernetes."""

from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml

from krmfn import krm
from krmfn.krm import Item
from tests.stories import FIXTURES, ROOT, play, story

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
    """Return the schema of a custom kind, None where the schemas are not at hand."""
    for path in CRDS.glob(f"*.{group}.yaml"):
        spec = yaml.safe_load(path.read_text())["spec"]
        if spec["names"]["kind"] == kind:
            return next(v["schema"]["openAPIV3Schema"] for v in spec["versions"] if v["name"] == version)
    return None


def faults(item: Item) -> list[tuple[str, str, str]]:
    """Return what the schema of its custom kind has against an object; an author's own spelling may be one."""
    if "." not in item.ref.group or item.ref.group in BUILT_IN:
        return []
    schema = custom(item.ref.group, item.ref.kind, item.ref.api_version.rpartition("/")[2])
    # OpenAPI 3.0, in which exclusiveMaximum is a flag, is that draft.
    found = jsonschema.Draft4Validator(schema).iter_errors(item.value) if schema else ()
    return [(item.ref.kind, error.json_path, error.message) for error in found]


@pytest.mark.parametrize("folder", STORIES, ids=lambda folder: f"{folder.parent.name}/{folder.name}")
def test_every_object_of_every_frame_is_valid(folder: Path) -> None:
    """The API server would take each object that a story leaves behind."""
    checked = 0
    told = story(folder)
    forgiven = {fault for item in krm.read_files(told.files.items()).items for fault in faults(item)}
    for frame, files, _ in play(told):
        for item in krm.read_files(files.items()).items:
            if item.ref.api_version == OURS:
                continue
            if "." in item.ref.group and item.ref.group not in BUILT_IN:
                assert not set(faults(item)) - forgiven, frame
            else:
                for desired in versions():
                    kubernetes_validate.validate(item.value, desired, strict=True)
            checked += 1
        assert checked, frame
