"""ServiceSplitter: at every stage, Consul gives each Service and subset what the plan says."""

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from krmfn.lua import find
from tests.routers import consul
from tests.routers.meaning import PLANS, Request
from tests.routers.plans import Law, Manifest, Shares, stages

SCRIPT = find("consul.hashicorp.com", "ServiceSplitter")


@st.composite
def splitters(draw: st.DrawFn, *, split: bool) -> Manifest:
    """Make a ServiceSplitter that leads to the Service web, among others; ``split``: to subsets of it."""
    places: list[Manifest] = [{"service": "web"}, {"service": "api"}, {"service": "web", "serviceSubset": "b"}]
    if split:
        places = [{"serviceSubset": "a"}, {"service": "web", "serviceSubset": "b"}, {"service": "api"}]
    weights = draw(st.sampled_from([[100], [50, 50], [33.33, 33.33, 33.34], [99.9, 0.1], [2.5, 97.5], [60, 0, 40]]))
    splits = [{"weight": weight} | place for weight, place in zip(weights, places, strict=False)]
    meta = {"name": "web"}
    return {"apiVersion": "consul.hashicorp.com/v1alpha1", "kind": "ServiceSplitter", "metadata": meta} | {
        "spec": {"splits": splits}
    }


@pytest.mark.parametrize("split", [False, True], ids=["service", "subset"])
def test_every_service_gets_what_the_plan_says(*, split: bool) -> None:
    """The weight divides what the stable side gets, to a hundredth of a percent."""

    def twin(arrival: Any) -> consul.Arrival | None:
        if arrival.service != "web":
            return None
        return consul.Arrival("web", "canary") if split else consul.Arrival("web-canary", "")

    def routed(manifests: list[Manifest], _: Request) -> Shares:
        (one,) = manifests
        return consul.route(one)

    law = Law(SCRIPT, routed, twin, {}, inexact=Fraction(2, 10000))

    @settings(max_examples=PLANS)
    @given(splitters(split=split), stages(SCRIPT, canary="web" if split else "web-canary"), st.integers(0, 2**32))
    def check(base: Manifest, stage: Manifest, seed: int) -> None:
        law.check(base, stage | ({"subset": "canary"} if split else {}), seed)

    check()
    assert law.kept[True] > law.kept[False]
