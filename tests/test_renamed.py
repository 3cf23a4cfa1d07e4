"""A host that has renamed objects, and will not change the names in all that refers to them."""

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from krmfn.hosts import answered

FLAGGER = Path(__file__).parents[1] / "fixtures" / "flagger"


OTHER = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "other", "namespace": "test"}}


def said(story: str, prefix: str, only: tuple[str, ...] = ()) -> list[str]:
    """Return the errors at step 1 of a story, whose objects (or those of some kinds) a host has given a prefix."""
    texts = [(FLAGGER / story / name).read_text() for name in ("app.yaml", "canary.yaml")]
    objects = [copy.deepcopy(OTHER), *(one for text in texts for one in yaml.safe_load_all(text))]
    for one in objects:
        if not prefix or (only and one["kind"] not in only):
            continue
        metadata = one["metadata"]
        notes = {"Names": metadata["name"], "Namespaces": "test", "Kinds": one["kind"]}
        noted = {f"internal.config.kubernetes.io/previous{key}": value for key, value in notes.items()}
        metadata["annotations"] = metadata.get("annotations", {}) | noted
        metadata["name"] = f"{prefix}{metadata['name']}"
    image = {"name": "example.com/podinfo", "newTag": "7.0.0"}
    spec: dict[str, Any] = {"step": "1", "adopted": True, "target": {"images": [image]}}
    step = {"apiVersion": "krmfn.dev/v1alpha1", "kind": "RolloutStep", "metadata": {"name": "x"}, "spec": spec}
    given = {"apiVersion": "config.kubernetes.io/v1", "kind": "ResourceList", "items": objects, "functionConfig": step}
    _, results, code = answered(yaml.safe_dump(given, sort_keys=False).encode())
    errors = [result.message for result in results if result.severity == "error"]
    assert code == len(errors)
    return errors


@pytest.mark.parametrize(
    ("story", "where"),
    [
        ("podinfo-knative", "the template and the traffic of Service test/podinfo"),
        ("podinfo-canary", "VirtualService"),
        ("podinfo-appmesh", "VirtualRouter, VirtualNode"),
    ],
)
def test_what_the_host_will_not_rename_is_an_error(story: str, where: str) -> None:
    """Routes that would lead to nobody are not given out; without another name there is nothing to say."""
    [message] = said(story, "p-")
    assert message.startswith(f"{where} would name objects as they were called before kustomize renamed them")
    assert said(story, "") == []


def test_what_the_host_knows_is_renamed() -> None:
    """An Ingress and the Services are kustomize's own to change."""
    assert said("podinfo-blue-green", "p-") == []


def test_what_others_are_called_now_is_nobody_s_business() -> None:
    """A rollout whose own objects have the names that were written leads where it should."""
    assert said("podinfo-canary", "p-", only=("Service",)) == []
