"""Route: at every stage, OpenShift gives each Service what the plan says."""

from fractions import Fraction
from typing import Any

from hypothesis import strategies as st

from krmfn.lua import find
from tests.routers import openshift
from tests.routers.meaning import Request
from tests.routers.plans import Law, Manifest, Shares, schema, stages

SCRIPT = find("route.openshift.io", "Route")
valid = schema("routes.route.openshift.io")


@st.composite
def routes(draw: st.DrawFn) -> Manifest:
    """Make a Route that leads to the Service web, among others."""
    names = draw(st.permutations(["web", "api", "old"]))[: draw(st.integers(1, 3))]
    names = names if "web" in names else ["web", *names[1:]]
    weights = draw(st.sampled_from([[None] * 3, [1, 1, 1], [50, 30, 20], [256, 100, 3], [7, 90, 3]]))
    places: list[Manifest] = [
        {"kind": "Service", "name": name} | ({} if weight is None else {"weight": weight})
        for name, weight in zip(names, weights, strict=False)
    ]
    spec = {"to": places[0], "host": "example.com"} | ({"alternateBackends": places[1:]} if places[1:] else {})
    meta = {"name": "web"}
    return {"apiVersion": "route.openshift.io/v1", "kind": "Route", "metadata": meta, "spec": spec}


REASONS = {"weights are whole numbers here": "'weight'"}


def twin(arrival: Any) -> str | None:
    """Return the canary's counterpart of a stable arrival."""
    return "web-canary" if arrival == "web" else None


def routed(manifests: list[Manifest], _: Request) -> Shares:
    """Route by the only object there is."""
    (one,) = manifests
    return openshift.route(one)


def test_every_service_gets_what_the_plan_says() -> None:
    """The weight divides what the stable Service gets, to less than half of the least that can be written."""
    law = Law(SCRIPT, routed, twin, REASONS, inexact=Fraction(1, 200))
    law.hold(routes(), stages(SCRIPT), valid)
