"""Service of Knative: at every stage, each revision gets what the plan says."""

from fractions import Fraction
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from krmfn.errors import KrmfnError
from krmfn.lua import find, render
from tests.routers import knative
from tests.routers.meaning import PLANS, Request
from tests.routers.plans import Law, Manifest, Shares, maybe, stages

SCRIPT = find("serving.knative.dev", "Service")
REVISION = "serving.knative.dev/revision"
NOTE = "flagger.app/primary-revision"


@st.composite
def services(draw: st.DrawFn) -> Manifest:
    """Make a Service with a stable revision, perhaps others, and perhaps the latest one already."""
    noted = draw(st.booleans())
    others = draw(st.sampled_from([(), (), ("old",), ("old", "older")]))
    parts = draw(st.lists(st.integers(1, 30), min_size=len(others), max_size=len(others)))
    latest = draw(maybe(st.integers(0, 30)))
    traffic: list[Manifest] = [
        {"revisionName": name, "percent": percent} for name, percent in zip(others, parts, strict=True)
    ]
    if latest is not None:
        traffic.insert(0, {"latestRevision": True, "percent": latest, "tag": "canary"})
    rest = 100 - sum(parts) - (latest or 0)
    traffic.append({"revisionName": "web-00001", "percent": rest, "tag": "stable"})
    notes = {"annotations": {NOTE: "web-00001"}} if noted or others else {}
    empty = noted and not others and latest is None and draw(st.booleans())
    spec = {"template": {"spec": {}}} if empty else {"template": {"spec": {}}, "traffic": traffic}
    meta = {"name": "web"} | notes
    return {"apiVersion": "serving.knative.dev/v1", "kind": "Service", "metadata": meta, "spec": spec}


def stable(base: Manifest) -> Manifest:
    """Return a Service before its release: the latest revision is not there yet, or is the stable one."""
    traffic = base["spec"].get("traffic") or [{"revisionName": "web-00001", "percent": 100}]
    found = [one | ({"revisionName": "web-00001"} if one.get("latestRevision") else {}) for one in traffic]
    bare = [{key: one[key] for key in ("revisionName", "percent")} for one in found]
    return {**base, "spec": {**base["spec"], "traffic": bare}}


REASONS = {"weights are whole numbers here": ""}


def twin(arrival: Any) -> str | None:
    """Return the canary's counterpart of a stable arrival."""
    return knative.LATEST if arrival == "web-00001" else None


def test_every_revision_gets_what_the_plan_says() -> None:
    """The weight goes to the latest revision, out of what it and the stable one get together."""

    def routed(manifests: list[Manifest], request: Request) -> Shares:
        (service,) = manifests
        return knative.route(stable(service) if service is law.base else service)

    law = Law(SCRIPT, routed, twin, REASONS, inexact=Fraction(1, 100))
    law.hold(services(), stages(SCRIPT))


@st.composite
def followed(draw: st.DrawFn) -> Manifest:
    """Make a Service whose latest revision gets some of the requests, perhaps by several tags, and others the rest."""
    cuts = sorted(draw(st.lists(st.integers(0, 100), max_size=3)))
    parts = [end - start for start, end in zip([0, *cuts], [*cuts, 100], strict=True)]
    kinds = st.sampled_from([{"latestRevision": True}, {}, {"revisionName": "web-0"}, {"revisionName": "web-x"}])
    traffic = [{**draw(kinds), "percent": part, "tag": f"t{number}"} for number, part in enumerate(parts)]
    spec = {"traffic": traffic} if draw(st.booleans()) else {}
    return {"apiVersion": "serving.knative.dev/v1", "kind": "Service", "metadata": {"name": "web"}, "spec": spec}


def named(service: Manifest, weight: int, *, both: bool) -> Manifest:
    """Render a stage that knows the names of its revisions; ``both`` are there until promote."""
    pods = {"labels": {REVISION: "web-2"}, "annotations": {}}
    stage = {"name": "x", "stableService": "web", "canaryService": "web-canary", "matches": [], "podMetadata": pods}
    stage |= {"neutral": not weight, "weight": weight} | ({"stableLabels": {REVISION: "web-1"}} if both else {})
    assert SCRIPT
    (found,) = render(SCRIPT, service, stage)
    return found


@settings(max_examples=PLANS)
@given(followed(), st.integers(0, 100), st.booleans())
def test_revisions_with_names_share_what_follows_the_latest_one(base: Manifest, weight: int, both: bool) -> None:  # noqa: FBT001
    """By their names, to one percent, and the canary's is not there while it gets nothing; others keep their part."""
    before = knative.route(base)
    part = before.pop(knative.LATEST, Fraction(0))
    try:
        after, said = named(base, weight, both=both), ""
    except KrmfnError as problem:
        after, said = base, problem.message
    if said:
        assert not part or "weights are whole numbers here" in said
        return
    shares = knative.route(after)
    canary = shares.pop("web-2", Fraction(0))
    stable = shares.pop("web-1", Fraction(0))
    assert abs(canary - part * (Fraction(weight, 100) if both else 1)) < Fraction(1, 100)
    assert canary + stable == part
    assert shares == before
    written = [one.get("revisionName") for one in after["spec"]["traffic"]]
    assert ("web-2" in written) is (bool(weight) or not both)
    assert ("web-1" in written) is both
    assert not any(one.get("latestRevision") for one in after["spec"]["traffic"])
