"""What the function was asked to do, in either of its two forms."""

from typing import Any

import pytest

from krmfn.config import Config, parse
from krmfn.errors import KrmfnError
from krmfn.patches import Image, Overrides
from krmfn.results import errors

STEP = {"apiVersion": "krmfn.dev/v1alpha1", "kind": "RolloutStep", "metadata": {"name": "web"}}
IMAGE = {"images": [{"name": "web", "newName": "shop/web", "newTag": "2", "digest": "sha256:1"}], "patches": [{"a": 1}]}
OVERRIDES = Overrides((Image("web", "shop/web", "2", "sha256:1"),), ({"a": 1},))

READ: dict[str, tuple[Any, Config]] = {
    "nothing": (None, Config()),
    "nothing from kpt": ({"kind": "ConfigMap", "data": {}}, Config()),
    "an empty spec": (STEP, Config()),
    "everything": (
        STEP
        | {
            "spec": {
                "rollout": "web",
                "step": 2,
                "target": IMAGE,
                "stable": IMAGE,
                "isolation": "rename",
                "retarget": True,
                "adopted": True,
                "replicas": 12.0,
            }
        },
        Config("web", "2", OVERRIDES, OVERRIDES, "rename", retarget=True, adopted=True, replicas=12),
    ),
    "words": (
        {
            "kind": "ConfigMap",
            "data": {
                "rollout": "web",
                "step": "1/scale",
                "image": "web=shop/web:2@sha256:1, side=side:3",
                "retarget": "true",
                "adopted": "false",
                "replicas": "7",
            },
        },
        Config(
            "web",
            "1/scale",
            Overrides((Image("web", "shop/web", "2", "sha256:1"), Image("side", "side", "3"))),
            retarget=True,
            replicas=7,
        ),
    ),
}


@pytest.mark.parametrize(("given", "read"), READ.values(), ids=READ)
def test_what_is_written_is_what_is_asked(given: Any, read: Config) -> None:
    """A RolloutStep and a ConfigMap with the same words mean the same."""
    assert read == parse(given)


WRONG: dict[str, tuple[Any, list[str]]] = {
    "another kind": ({"kind": "Deployment"}, ["kind: the function config is a Deployment; use krmfn.dev/v1alpha1"]),
    "a float": (STEP | {"spec": {"step": 1.5}}, ["spec.step: 1.5 is no position; write a whole number, or a name"]),
    "a boolean": (STEP | {"spec": {"step": True}}, ["spec.step: True is no position"]),
    "words of nobody": (
        STEP | {"spec": {"setp": 1, "zzz": 1}},
        ["spec.setp: is not known; did you mean step?", "spec.zzz: is not known"],
    ),
    "several at once": (
        STEP | {"spec": {"isolation": "hash", "retarget": "yes", "replicas": -1, "rollout": 7}},
        [
            "spec.rollout: must be a string, not a number (7); quote it",
            "spec.isolation: 'hash' is none of auto, shared, label, track, rename",
            "spec.retarget: must be true or false, not a string ('yes')",
            "spec.replicas: -1 is out of range: 0 to 2147483647",
        ],
    ),
    "an image without a name": (STEP | {"spec": {"target": {"images": [{}]}}}, ["target.images[0].name: is required"]),
    "an image that is none": (
        {"kind": "ConfigMap", "data": {"image": "web"}},
        ["data.image: --image 'web': "],
    ),
    "a list": (STEP | {"spec": []}, ["spec: must be a mapping, not a list"]),
}


@pytest.mark.parametrize(("given", "said"), WRONG.values(), ids=WRONG)
def test_every_mistake_is_said_with_its_place(given: Any, said: list[str]) -> None:
    """All of them in one run, each with the path that the user wrote."""
    with pytest.raises(KrmfnError) as caught:
        parse(given)
    lines = [result.line() for result in errors(caught.value)]
    assert len(said) == len(lines)
    for expected, actual in zip(said, lines, strict=True):
        assert expected in actual
