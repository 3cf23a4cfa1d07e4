"""Service of Knative: at every stage, each revision gets what the plan says."""

from fractions import Fraction
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from krmfn.lua import find
from tests.routers import knative
from tests.routers.meaning import PLANS, Request
from tests.routers.plans import Law, Manifest, Shares, maybe, stages

SCRIPT = find("serving.knative.dev", "Service")
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

    @settings(max_examples=PLANS)
    @given(services(), stages(SCRIPT), st.integers(0, 2**32))
    def check(base: Manifest, stage: Manifest, seed: int) -> None:
        law.check(base, stage, seed)

    check()
    assert law.kept[True] > law.kept[False]
