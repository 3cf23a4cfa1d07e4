"""A workload that is made from its rollout: the rollout carries the newest version, and what is made of it is ours."""

from itertools import product
from typing import Any

import pytest
import yaml

from krmfn import krm
from krmfn.function import render
from krmfn.stage import timeline
from tests.releases import at, edited, said
from tests.stories import FIXTURES, Files, config, rendered, story, written

APPLICATION = """\
apiVersion: core.oam.dev/v1beta1
kind: Application
metadata:
  name: shop
spec:
  components:
    - name: web
      type: webservice
      properties:
        image: example.com/web:1.0
        env: [{name: COLOUR, value: blue}]
        ports: [{port: 8080, expose: true}]
      traits:
        - type: scaler
          properties: {replicas: 4}
        - type: gateway
          properties: {domain: shop.example.com, http: {"/": 8080}}
        - type: kruise-rollout
          properties:
            canary:
              steps: [{weight: 25}, {replicas: 2, weight: 50}]
              trafficRoutings: [{type: ingress}]
"""
PACKAGE: Files = {"shop.yaml": APPLICATION.encode()}
IMAGE: dict[str, Any] = {"target": {"images": [{"name": "example.com/web", "newTag": "2.0"}]}}
ANNOTATED: dict[str, Any] = {
    "target": {"patches": [{"patch": "spec: {template: {metadata: {annotations: {version: two}}}}"}]}
}
STORIES = sorted(path.parent for path in FIXTURES.glob("kubevela/*/story.yaml"))
NONE: dict[str, Any] = {}
POSITIONS = ("0", "1/scale", "1", "2/scale", "2", "2>0/shift", "2>0/drain", "promote", "finalise")


def images(files: Files) -> dict[str, str]:
    """Return the image of each Deployment of a package."""
    found = {}
    for item in krm.read_files(files.items()).items:
        if item.ref.kind == "Deployment":
            found[item.ref.name] = item.value["spec"]["template"]["spec"]["containers"][0]["image"]
    return found


def under_way(position: str = "1") -> Files:
    """Return the package on its way from 1.0 to 2.0."""
    return at(at(edited(at(PACKAGE, "0", NONE), "shop.yaml", "web:1.0", "web:2.0"), "1", NONE), position, NONE)


@pytest.mark.parametrize(("a", "b"), list(product(POSITIONS, POSITIONS[::2])))
def test_a_stage_looks_the_same_whatever_was_rendered_before_it(a, b):
    """Objects that are made obey the laws: the same bytes, and a second time nothing changes."""
    at_a, at_b = at(PACKAGE, a, IMAGE), at(PACKAGE, b, IMAGE)

    assert at_a == at(at_a, a, IMAGE)
    assert at_b == at(at_a, b, IMAGE)


@pytest.mark.parametrize("folder", STORIES, ids=lambda folder: folder.name)
def test_the_laws_hold_for_every_story(folder):
    """From any position of a release to any other: the same bytes as if it had been the first."""
    files = story(folder).files
    _, outcome = rendered(files, ANNOTATED | {"step": "0"})
    positions = [str(position) for position in timeline(outcome.views[0].plan, outcome.views[0].total)][:-1]
    alone = {position: at(files, position, ANNOTATED) for position in positions}
    for start, end in zip(positions, positions[2:] + positions[:2], strict=True):
        assert at(alone[start], end, ANNOTATED) == alone[end]
        assert at(alone[end], start, ANNOTATED) == alone[start]


def pods_behind(files: Files, name: str) -> list[str]:
    """Return the Deployments with pods that a Service selects."""
    items = [(item.ref.kind, item.ref.name, item.value) for item in krm.read_files(files.items()).items]
    selector = next(value["spec"]["selector"] for kind, other, value in items if (kind, other) == ("Service", name))
    return [
        other
        for kind, other, value in items
        if kind == "Deployment"
        and value["spec"].get("replicas") != 0
        and selector.items() <= value["spec"]["template"]["metadata"]["labels"].items()
    ]


def test_the_service_that_a_route_divides_is_never_empty():
    """Some routes fail for everybody as soon as it is, so it leads to the canary before the last stable pod goes."""
    files = story(FIXTURES / "kubevela" / "rollout-with-workflow").files
    _, outcome = rendered(files, ANNOTATED | {"step": "0"})
    positions = [str(position) for position in timeline(outcome.views[0].plan, 5)] + ["3>0/scale", "3>0/shift"]
    found = {position: pods_behind(at(files, position, ANNOTATED), "canary-demo") for position in positions}

    assert [position for position, behind in found.items() if len(behind) != 1] == []
    led = ["2>3/shift", "3", "promote", "3>0/scale"]
    assert [position for position, behind in found.items() if behind == ["canary-demo-canary"]] == led


def test_the_stable_workload_keeps_the_old_version_until_promote():
    """The rollout has the new version from the start, and the workload that is made of it gets it in its turn."""
    old, new = "example.com/web:1.0", "example.com/web:2.0"

    assert images(under_way("2")) == {"web": old, "web-canary": new}
    assert images(at(under_way("2"), "promote", NONE)) == {"web": new, "web-canary": new}
    assert images(at(at(under_way("2"), "promote", NONE), "complete", NONE)) == {"web": new}


def test_a_newer_version_starts_anew():
    """An edit in the middle is another version: it has to start, and then is the one that is released."""
    files = edited(under_way("2"), "shop.yaml", "web:2.0", "web:3.0")
    where = "Deployment web spec.template"
    what = "the pod template has changed (spec.containers[web].image) and position 2 was set for another version"

    assert [line.split(";")[0] for line in said(files, "2", NONE)] == [f"error: {where}: {what}"]
    assert images(at(files, "1", NONE)) == {"web": "example.com/web:1.0", "web-canary": "example.com/web:3.0"}


def test_what_is_taken_back_is_gone():
    """What people added in the middle and took out again is in neither version, though no edit says so."""
    more = edited(under_way(), "shop.yaml", "value: blue}]", "value: blue}, {name: SIZE, value: big}]")
    files = at(more, "1", NONE, retarget=True)
    back = at(edited(files, "shop.yaml", ", {name: SIZE, value: big}", ""), "1", NONE, retarget=True)

    assert any(b"SIZE" in data for name, data in files.items() if name != "shop.yaml")
    assert back == under_way()


def test_an_edit_of_what_is_made_is_refused():
    """Nobody's change is lost: it has to be made in the rollout, in the canary's objects as well."""
    hint = "krmfn writes this object anew at each step, so make the change in Application shop, or undo it"
    for image in ("web:1.0", "web:2.0"):
        files = edited(under_way(), "shop-canary.yaml", image, "web:9.9")

        assert [hint in line for line in said(files, "1", NONE)] == [True]


def test_the_stable_version_may_be_the_rollout_as_it_was():
    """Manifests of what runs now are also those that the rollout of that time makes."""
    before = krm.read_files(PACKAGE.items())
    files = edited(PACKAGE, "shop.yaml", "web:1.0", "web:2.0")
    package = krm.read_files(files.items())
    outcome = render(package, config({"step": "1"}), before)

    assert images(written(package, outcome, files)) == images(under_way())


def test_a_stable_version_that_made_nothing_is_told():
    """An Application of a time when it asked for no release does not say what its objects were."""
    plain = APPLICATION[: APPLICATION.index("        - type: kruise-rollout")]
    before = krm.read_files([("shop.yaml", plain.encode())])
    outcome = render(krm.read_files(PACKAGE.items()), config({"step": "1"}), before)

    assert [result.line() for result in outcome.results] == [
        "error: Deployment web: the manifests given as --stable do not have Deployment web"
    ]


def test_an_application_that_asks_for_no_release_is_left_alone():
    """Beside a rollout it is one more object; alone it is no rollout."""
    plain = APPLICATION[: APPLICATION.index("        - type: kruise-rollout")].replace("name: shop", "name: plain")
    files = at(PACKAGE | {"plain.yaml": plain.encode()}, "1", IMAGE)

    assert files["plain.yaml"] == plain.encode()
    assert "the package has no rollout" in said({"plain.yaml": plain.encode()}, "1", NONE)[0]


def test_a_release_of_content_that_is_made_is_over_when_it_is_over():
    """The ConfigMap stands in the rollout too; its stamp stays on the pods, and means no other release."""
    versioned = {"configs": "versioned"}
    container = {"name": "web", "image": "web:1", "envFrom": [{"configMapRef": {"name": "settings"}}]}
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [container]}}
    spec = {"replicas": 2, "selector": {"matchLabels": {"app": "web"}}, "template": template}
    objects = [
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec},
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"colour": "blue"}},
    ]
    application = yaml.safe_load(APPLICATION)
    trait = {"type": "kruise-rollout", "properties": {"canary": {"steps": [{"replicas": 1}]}}}
    component = {"name": "web", "type": "k8s-objects", "properties": {"objects": objects}, "traits": [trait]}
    application["spec"]["components"] = [component]
    package = {"shop.yaml": yaml.safe_dump(application).encode()}
    files = edited(at(package, "0", versioned), "shop.yaml", "blue", "green")
    for position in ("1/scale", "1", "promote", "complete"):
        files = at(files, position, versioned)

    assert b"krmfn.dev/configs" in files["shop-canary.yaml"]
    assert b"blue" not in files["shop-canary.yaml"]
    assert at(files, "complete", versioned) == files
