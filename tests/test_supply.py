"""Manifests that the function config brings along, and packages that are only looked at."""

from typing import Any

import pytest
import yaml

from krmfn.hosts import answered
from tests.echoserver import APP, ROLLOUT, STEP

OBJECTS = [*yaml.safe_load_all(APP), yaml.safe_load(ROLLOUT)]
ASKED = yaml.safe_load(STEP)["spec"]


def asked(items: list[Any], **spec: Any) -> tuple[dict[str, Any], list[str], int]:
    """Run the function on a list of items; return the list it gives back, what it says, and its exit code."""
    config = {"apiVersion": "krmfn.dev/v1alpha1", "kind": "RolloutStep", "metadata": {"name": "s"}, "spec": spec}
    given = {"apiVersion": "config.kubernetes.io/v1", "kind": "ResourceList", "items": items, "functionConfig": config}
    chunks, results, code = answered(yaml.safe_dump(given, sort_keys=False).encode())
    return yaml.safe_load(b"".join(chunks)), [result.line() for result in results], code


def names(found: dict[str, Any]) -> list[str]:
    """Name the items of a list."""
    return [f"{o['kind']} {o['metadata']['name']}" for o in found["items"]]


def test_manifests_are_rendered_as_if_they_had_been_given() -> None:
    """Wherever an object stands, among the items or in the config, what is rendered is the same."""
    whole = asked(OBJECTS, **ASKED)
    split = asked(OBJECTS[:2], **ASKED, manifests=OBJECTS[2:])

    assert 0 == whole[2] == split[2]
    assert whole[0]["items"] == split[0]["items"]
    assert whole[1] == split[1]


def test_a_manifest_that_is_there_is_not_added_again() -> None:
    """A host that keeps what it was given can run the function again."""
    once = asked(OBJECTS[:2], **ASKED, manifests=OBJECTS[2:])
    again = asked(once[0]["items"], **ASKED, manifests=OBJECTS[2:])

    assert once == again


@pytest.mark.parametrize(
    ("manifests", "words"),
    [
        ([{"kind": "Service"}], "RolloutStep s spec.manifests[0].metadata: is required"),
        ([[1]], "spec.manifests[0].metadata: is required"),
        ({"kind": "Service"}, "RolloutStep s spec.manifests: must be a list, not a mapping"),
        ([OBJECTS[1], OBJECTS[1]], "Service demo/echo: is in the `manifests` of the function config more than once"),
    ],
)
def test_what_is_no_manifest_is_said(manifests: Any, words: str) -> None:
    """A manifest without a name, or twice, is an error, and the items come back as they were."""
    config = {"apiVersion": "krmfn.dev/v1alpha1", "kind": "RolloutStep", "metadata": {"name": "s"}}
    given = {"apiVersion": "config.kubernetes.io/v1", "kind": "ResourceList", "items": OBJECTS}
    given["functionConfig"] = config | {"spec": {"manifests": manifests}}
    _, results, code = answered(yaml.safe_dump(given, sort_keys=False).encode())

    assert 1 == code
    assert any(words in result.line() for result in results)


def test_a_generator_in_its_legacy_form_is_given_nothing(tmp_path) -> None:
    """With nothing on standard input the manifests of the config are all there is; without any it is an error."""
    config = {"apiVersion": "krmfn.dev/v1alpha1", "kind": "RolloutStep", "metadata": {"name": "s"}}
    (tmp_path / "full").write_text(yaml.safe_dump(config | {"spec": ASKED | {"manifests": OBJECTS}}))
    (tmp_path / "empty").write_text(yaml.safe_dump(config | {"spec": ASKED}))
    chunks, _, code = answered(b"", [str(tmp_path / "full")])
    kinds = ("Deployment", "Service", "Ingress")

    assert 0 == code
    assert [f"{kind} echo{end}" for kind in kinds for end in ("", "-canary")] == names(
        {"items": [*yaml.safe_load_all(b"".join(chunks))]}
    )
    assert 1 == answered(b"", [str(tmp_path / "empty")])[2]


def test_a_validation_changes_nothing() -> None:
    """A package that can be released comes back as it was, with a word on each rollout."""
    found, said, code = asked(OBJECTS, **ASKED, validate=True)

    assert (0, OBJECTS) == (code, found["items"])
    assert ["info: Rollout demo/echo: each of its 16 positions can be rendered"] == said


def test_a_validation_looks_at_every_position() -> None:
    """An error at a later step is found, whatever step the config names."""
    rollout = yaml.safe_load(ROLLOUT)
    rollout["spec"]["strategy"]["canary"]["steps"][1] = {
        "replicas": 3,
        "matches": [{"queryParams": [{"type": "Exact", "name": "a", "value": "b"}]}],
    }
    items = [*OBJECTS[:3], rollout]
    found, said, code = asked(items, **ASKED, validate=True)

    assert (1, items) == (code, found["items"])
    assert any("cannot express" in line for line in said)


def test_one_revision_is_enough_to_validate_a_plan() -> None:
    """Without a second revision the plan is checked, and it is said that the rest was not."""
    _, said, code = asked(OBJECTS, validate=True)

    assert 0 == code
    assert 1 == len(said)
    assert said[0].startswith("info: Rollout demo/echo: its plan is sound; what each position changes is not known")
