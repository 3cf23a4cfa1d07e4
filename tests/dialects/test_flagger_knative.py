"""Flagger's provider knative: what a cluster makes of a Service at every commit of a release, whatever breaks.

The cluster is one of our own, written from Knative's documentation and sharing no code with krmfn.
"""

import json
import os
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from krmfn import krm
from krmfn.function import render
from krmfn.ordering import leads
from krmfn.report import document, explanation, outlook, telling
from krmfn.stage import between, timeline
from krmfn.view import View
from tests.packages import positions
from tests.routers.knative import Cluster, Refusal
from tests.stories import Files, config, rendered

EXAMPLES = int(os.environ.get("KRMFN_LAWS", "0")) or (150 if os.environ.get("CI") else 40)
OLD, NEW, NEWER, ELSE = (f"shop/web:{tag}" for tag in ("1.0", "2.0", "3.0", "0.9"))
NAME, OTHER = "web", "web-00007"
LATEST = {"latestRevision": True}
# What people write as traffic: how much follows the latest revision, and what the other one gets.
TRAFFIC: tuple[tuple[list[dict[str, Any]], int], ...] = (
    ([], 100),
    ([LATEST | {"percent": 100}], 100),
    ([LATEST | {"percent": 100, "tag": "current"}], 100),
    ([{"revisionName": OTHER, "percent": 20, "tag": "legacy"}, LATEST | {"percent": 80}], 80),
    ([LATEST | {"percent": 80}, {"revisionName": OTHER, "percent": 20}], 80),
    ([{"percent": 100}, {"revisionName": OTHER, "tag": "legacy"}], 100),
)
ANALYSES: tuple[dict[str, Any], ...] = (
    {"stepWeight": 25, "maxWeight": 50},
    {"stepWeights": [5, 50, 100]},
    {"iterations": 3},
    {"stepWeight": 50, "stepWeightPromotion": 20},
    {"stepWeight": 40, "webhooks": [{"name": "smoke", "type": "pre-rollout", "url": "http://x/"}]},
)
Manifest = dict[str, Any]


@dataclass(frozen=True)
class Made:
    """A package: the Service, the Canary, and what of the requests follows the latest revision."""

    service: Manifest
    canary: Manifest
    part: int

    def files(self, image: str = OLD) -> Files:
        """Return the files, with the image that its author wrote last."""
        container = self.service["spec"]["template"]["spec"]["containers"][0]
        template = self.service["spec"]["template"] | {"spec": {"containers": [container | {"image": image}]}}
        service = self.service | {"spec": self.service["spec"] | {"template": template}}
        return {"app.yaml": krm.dump(service).encode(), "canary.yaml": krm.dump(self.canary).encode()}


def read(files: Files) -> Manifest:
    """Return the Service among some files."""
    found: Manifest = yaml.safe_load(files["app.yaml"])
    return found


def made(part: int = 100, traffic: Any = (), metadata: Any = (), analysis: Any = ANALYSES[0]) -> Made:
    """Make a package."""
    template = ({"metadata": dict(metadata)} if metadata else {}) | {"spec": {"containers": [{"image": OLD}]}}
    meta = {"name": NAME, "namespace": "shop"}
    spec = {"template": template} | ({"traffic": list(traffic)} if traffic else {})
    target = {"apiVersion": "serving.knative.dev/v1", "kind": "Service", "name": NAME}
    asked = {"provider": "knative", "targetRef": target, "analysis": {"interval": "30s", "threshold": 5} | analysis}
    return Made(
        {"apiVersion": "serving.knative.dev/v1", "kind": "Service", "metadata": meta, "spec": spec},
        {"apiVersion": "flagger.app/v1beta1", "kind": "Canary", "metadata": meta, "spec": asked},
        part,
    )


@st.composite
def packages(draw: st.DrawFn) -> Made:
    """Draw a Service in the ways in which people write one."""
    traffic, part = draw(st.sampled_from(TRAFFIC))
    labels = draw(st.sampled_from(({}, {"labels": {"app": NAME}})))
    annotations = draw(st.sampled_from(({}, {"annotations": {"autoscaling.knative.dev/min-scale": "2"}})))
    return made(part, traffic, labels | annotations, draw(st.sampled_from(ANALYSES)))


def at(files: Files, position: str, **spec: Any) -> tuple[Files, View]:
    """Render and insist that it can be done."""
    after, outcome = rendered(files, spec | {"step": position})
    assert not outcome.failed, [result.line() for result in outcome.results]
    return after, outcome.views[0]


def bumped(files: Files, old: str, new: str) -> Files:
    """Change the image as a bot does."""
    return files | {"app.yaml": files["app.yaml"].replace(old.encode(), new.encode())}


def running(package: Made) -> Cluster:
    """Return a cluster in which the author's own Service runs, beside the revision that it may name."""
    cluster = Cluster(NAME, revisions={OTHER: {"containers": [{"image": ELSE}]}})
    cluster.apply(package.service)
    return cluster


def expected(package: Made, view: View, old: str, new: str) -> dict[str, Fraction]:
    """Return how many requests each version answers at a stage."""
    stage, part = view.stage, Fraction(package.part, 100)
    weight = Fraction((stage.traffic.weight or 0) if stage.traffic else 0, 100)
    if stage.canary is None or view.position.end in ("promote", "finalise"):
        weight = Fraction(stage.template == "target")
    shares = {old: part * (1 - weight), new: part * weight, ELSE: 1 - part}
    return {image: share for image, share in shares.items() if share}


@settings(max_examples=EXAMPLES)
@given(packages(), st.data())
def test_every_version_answers_as_many_requests_as_its_stage_says(package: Made, data: st.DataObject) -> None:
    """At each commit of two releases, the second of which is withdrawn by the same rule from wherever it stands."""
    cluster, (files, view) = running(package), at(package.files(), "0")
    cluster.apply(read(files))
    assert cluster.answers() == expected(package, view, OLD, NEW)
    files = bumped(files, OLD, NEW)
    for position in list(timeline(view.plan, view.total))[1:]:
        files, view = at(files, str(position))
        cluster.apply(read(files))
        assert cluster.answers() == expected(package, view, OLD, NEW), position
    ahead = list(map(str, range(1, len(view.plan.steps) + 1)))
    ahead = data.draw(st.sampled_from([ahead[: number + 1] for number in range(len(ahead))] + [[*ahead, "promote"]]))
    files = bumped(files, NEW, NEWER)
    back = (*between(view.plan, ahead[-1], "0", 1), "0")
    for position in map(str, ("1/scale", *ahead, *back)):
        files, view = at(files, position)
        cluster.apply(read(files))
        assert cluster.answers() == expected(package, view, NEW, NEWER), position


@settings(max_examples=EXAMPLES)
@given(packages(), st.data())
def test_a_canary_that_breaks_can_be_withdrawn_from_anywhere(package: Made, data: st.DataObject) -> None:
    """A Route that names a revision which is not ready stays as it was; the way back never names the canary's."""
    cluster, (files, view) = running(package), at(package.files(), "0")
    cluster.apply(read(files))
    number = data.draw(st.sampled_from(["1/scale", *map(str, range(1, len(view.plan.steps) + 1))]))
    files, view = at(bumped(files, OLD, NEW), "1/scale")
    if data.draw(st.booleans()):
        cluster.broken.add(view.isolation.canary)  # it never starts
    cluster.apply(read(files))
    files, _ = at(files, number)
    cluster.apply(read(files))
    cluster.broken.add(view.isolation.canary)
    rest = "0>1" if number == "1/scale" else number
    for half in ("shift", "drain") if rest.isdigit() else ():
        files, _ = at(files, f"{rest}>0/{half}")
        cluster.apply(read(files))
        assert NEW not in cluster.answers()
    files, view = at(files, "0")
    cluster.apply(read(files))
    assert cluster.answers() == expected(package, view, OLD, NEW)


@settings(max_examples=EXAMPLES)
@given(packages(), st.data())
def test_no_jump_is_refused_by_the_cluster(package: Made, data: st.DataObject) -> None:
    """Whatever positions follow each other, no name is to mean another content, and every request is led somewhere."""
    cluster, (files, view) = running(package), at(package.files(), "0")
    cluster.apply(read(files))
    files = bumped(files, OLD, NEW)
    files, _ = at(files, "1/scale")
    for position in data.draw(st.lists(positions(view.plan.rests), max_size=6)):
        files, _ = at(files, position)
        cluster.apply(read(files))
        assert sum(cluster.route.values()) == 1


@settings(max_examples=EXAMPLES)
@given(packages(), st.data())
def test_a_stage_looks_the_same_whatever_was_rendered_before_it(package: Made, data: st.DataObject) -> None:
    """Rendering is idempotent, and forgets every other position; after complete the author's package is left."""
    rests = at(package.files(), "0")[1].plan.rests
    spec = {"target": {"images": [{"name": "shop/web", "newTag": "2.0"}]}, "adopted": True}
    a, b = data.draw(positions(rests)), data.draw(positions(rests))
    at_a, _ = at(package.files(), a, **spec)
    at_b, view = at(package.files(), b, **spec)
    assert at(at_a, a, **spec)[0] == at_a
    assert at(at_a, b, **spec)[0] == at_b
    done = read(at(at_a, "complete", **spec)[0])
    template = done["spec"]["template"]
    assert template["metadata"].pop("name") == view.isolation.canary or b == "0"
    if not template["metadata"]:
        del template["metadata"]
    assert done == read(package.files(NEW))


def test_a_version_that_ran_before_has_the_name_that_it_had() -> None:
    """A revert is a release like any other, and the cluster finds the revision as it left it."""
    package = made()
    cluster, (files, _) = running(package), at(package.files(), "0")
    for image, before in ((NEW, OLD), (OLD, NEW), (NEW, OLD)):
        files = bumped(files, before, image)
        for position in ("1/scale", "1", "promote", "complete"):
            files, _ = at(files, position)
            cluster.apply(read(files))
        assert cluster.latest_ready == cluster.template["metadata"]["name"]
        assert set(cluster.answers()) - {ELSE} == {image}


@pytest.mark.parametrize("name", ["web-2", "web-blue", "web-1732200001", "web-4ce0a1b2c3"])
def test_an_author_s_own_name_is_kept(name: str) -> None:
    """A revision that its author names needs no stamp, and so no stage 0 before the first release."""
    package = made()
    service = {
        **package.service,
        "spec": {"template": {"metadata": {"name": "web-1"}, "spec": {"containers": [{"image": OLD}]}}},
    }
    old = Made(service, package.canary, 100).files()
    new = {key: data.replace(b"web-1", name.encode()).replace(b":1.0", b":2.0") for key, data in old.items()}
    outcome = render(krm.read_files(new.items()), config({"step": "2"}), krm.read_files(old.items()))
    assert not outcome.failed, outcome.results
    assert (outcome.views[0].isolation.stable, outcome.views[0].isolation.canary) == ("web-1", name)


def test_a_cluster_refuses_what_it_cannot_do() -> None:
    """The one of these tests is no door that stands open."""
    cluster = Cluster(NAME)
    named = {"metadata": {"name": "web-1"}, "spec": {"containers": [{"image": OLD}]}}
    cluster.apply({"spec": {"template": named}})
    for spec in (
        {"template": named | {"spec": {"containers": [{"image": NEW}]}}},
        {"template": named | {"metadata": {"name": "cart-1"}}},
        {"template": named, "traffic": [{"revisionName": "web-1", "percent": 90}]},
        {"template": named, "traffic": [{"revisionName": "web-1", "latestRevision": True, "percent": 100}]},
    ):
        with pytest.raises(Refusal):
            cluster.apply({"spec": spec})


def looked_at(**spec: Any) -> outlook.Prospect:
    """Return what a plan of the plain package is made from."""
    return outlook.Prospect(krm.read_files(made().files().items()), config(spec | {"step": ""}))


def test_a_plan_waits_for_the_revision_that_is_new_by_its_name() -> None:
    """A program finds it in the status of the Service; the canary has no object of its own."""
    found, _ = outlook.outlooks(looked_at(target={"images": [{"name": "shop/web", "newTag": "2.0"}]}))
    (plan,) = json.loads(document.document(found))["rollouts"]
    waits = {p["position"]: p["waitFor"] for edge in plan["edges"] for p in edge["positions"]}
    moved = [p["position"] for edge in plan["edges"] for p in edge["positions"] if p["grace"]]
    assert moved == ["1", "2", "promote", "1>0/shift", "2>0/shift", "promote>0/shift"]
    apart = found[0].apart
    assert apart
    assert plan["canary"] is None
    names = {position: [wait["latestReadyRevisionName"] for wait in said] for position, said in waits.items()}
    assert {position: name for position, name in names.items() if name} == {
        "0>1/scale": [apart.canary],
        "1>0/drain": [apart.stable],
        "2>0/drain": [apart.stable],
        "promote>0/scale": [apart.stable],
    }


def test_an_explanation_makes_no_name_up() -> None:
    """While nobody knows the new version, nobody knows the name of its revision."""
    found, _ = explanation.explanations(looked_at())
    said = " ".join(telling.text(found).split())
    assert "divides requests between its revisions." in said
    assert "0>1/scale, until the newest revision ready" in said
    assert "web-" not in said


@pytest.mark.parametrize("ordering", ["argocd", "flux"])
def test_no_order_takes_the_service_for_a_route_that_comes_behind_its_pods(ordering: str) -> None:
    """It is both, and Knative itself moves no request to a revision that is not ready."""
    spec = {"adopted": True, "target": {"images": [{"name": "shop/web", "newTag": "2.0"}]}}
    plain, _ = at(made().files(), "1", **spec)
    ordered, view = at(made().files(), "1", **spec, ordering=ordering)
    assert read(plain) == read(ordered)
    assert not leads(view.workload, [view])
