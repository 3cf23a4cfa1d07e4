"""Flagger: what becomes of a request, from the route over Services to pods, at every commit of a release.

The routes are read by routers that share no code with krmfn.
"""

from collections import Counter
from fractions import Fraction
from typing import Any

import pytest

from krmfn import krm
from krmfn.stage import timeline
from tests.routers import gateway, istio
from tests.routers.meaning import Request
from tests.stories import FIXTURES, Files, rendered, story

OLD, NEW = "example.com/podinfo:6.0.0", "example.com/podinfo:6.0.1"
INSIDER = {"user-agent": "Mozilla Firefox/1"}
HOSTS = {"podinfo-canary": "app.example.com", "podinfo-gateway": "www.example.com"}
PATHS = {"podinfo-gateway": "/shop"}
GATEWAYS = {"podinfo-canary": "istio-system/public-gateway"}
STORIES = (
    "podinfo-canary",
    "podinfo-mirror",
    "podinfo-gateway",
    "podinfo-blue-green-gateway",
    "podinfo-label",
    "podinfo-ab-istio",
)


def objects(files: Files, kind: str) -> list[dict[str, Any]]:
    """Return the objects of a kind."""
    return [item.value for item in krm.read_files(files.items()).items if item.ref.kind == kind]


def arrivals(files: Files, name: str, headers: dict[str, str]) -> dict[str, Fraction]:
    """Return which Services get such requests, and how many of them."""
    host, path = HOSTS.get(name, "podinfo"), PATHS.get(name, "/")
    found: Counter[str] = Counter()
    for route in objects(files, "HTTPRoute"):
        for arrival, share in gateway.route(route, Request(path=path, headers=headers, host=host)).items():
            found[arrival.service] += share
    for virtual in objects(files, "VirtualService"):
        call = istio.Call(path=path, headers=headers, host=host, gateway=GATEWAYS.get(name, "mesh"))
        for place, share in istio.route(virtual, objects(files, "DestinationRule"), call).items():
            found[place.host.partition(".")[0]] += share
    return dict(found)


def answers(files: Files, service: str) -> Counter[str]:
    """Return how many pods of each version a Service leads to."""
    [selector] = [s["spec"]["selector"] for s in objects(files, "Service") if s["metadata"]["name"] == service]
    pods: Counter[str] = Counter()
    for workload in objects(files, "Deployment"):
        template = workload["spec"]["template"]
        if selector.items() <= template["metadata"]["labels"].items():
            pods[template["spec"]["containers"][0]["image"]] += workload["spec"]["replicas"]
    return +pods


def share_of_new(files: Files, name: str, headers: dict[str, str]) -> Fraction:
    """Return how many of such requests the new version answers; each Service that gets one has pods."""
    total = Fraction(0)
    for service, share in arrivals(files, name, headers).items():
        pods = answers(files, service)
        assert pods, service
        total += share * Fraction(pods[NEW], pods.total())
    return total


@pytest.mark.parametrize("name", STORIES)
def test_every_request_is_answered_by_the_version_that_its_stage_says(name: str) -> None:
    """At every commit: nobody gets the new version before there is a rule for it, and as many as it says after."""
    told = story(FIXTURES / "flagger" / name)
    files, outcome = rendered(told.files, told.config | {"step": "0"})
    (view,) = outcome.views
    for position in timeline(view.plan, view.total):
        files, outcome = rendered(files, told.config | {"step": str(position)})
        assert not outcome.failed
        (view,) = outcome.views
        traffic, done = view.stage.traffic, view.stage.template == "target"
        matching = bool(traffic and traffic.matches)
        weight = Fraction((traffic.weight or 0) if traffic else 0, 100)
        expected = {(): Fraction(1) if done else weight, tuple(INSIDER): Fraction(1) if done or matching else weight}
        assert {tuple(headers): share_of_new(files, name, headers) for headers in ({}, INSIDER)} == expected, position


@pytest.mark.parametrize("name", STORIES)
def test_a_service_always_leads_somewhere(name: str) -> None:
    """Also the canary's, between releases: whoever calls it gets an answer."""
    told = story(FIXTURES / "flagger" / name)
    files, outcome = rendered(told.files, told.config | {"step": "0"})
    (view,) = outcome.views
    for position in timeline(view.plan, view.total):
        files, _ = rendered(files, told.config | {"step": str(position)})
        for service in ("podinfo", "podinfo-primary", "podinfo-canary"):
            assert answers(files, service), (position, service)


@pytest.mark.parametrize(
    ("labels", "expected"), [({"app": "shop", "role": "tester"}, 1), ({"app": "shop"}, 0), ({"role": "tester"}, 0)]
)
def test_who_calls_is_known_by_labels(labels: dict[str, str], expected: int) -> None:
    """The requests of pods with all of the labels go to the canary, those of others do not."""
    told = story(FIXTURES / "flagger" / "podinfo-ab-callers")
    files, outcome = rendered(told.files, told.config | {"step": "1"})
    assert not outcome.failed
    [virtual] = objects(files, "VirtualService")
    call = istio.Call(path="/shop/cart", headers={"x-user": "test-1"}, host="podinfo", labels=labels)
    shares = istio.route(virtual, objects(files, "DestinationRule"), call)
    assert sum(share for place, share in shares.items() if place.host == "podinfo-canary.test") == expected


def cookies(image: str, position: str) -> list[str]:
    """Return the values of the cookies that a release of an image sets at a position."""
    told = story(FIXTURES / "flagger" / "podinfo-session-affinity")
    files = {name: data.replace(b"podinfo:6.0.1", image.encode()) for name, data in told.files.items()}
    files, outcome = rendered(files, told.config | {"step": position})
    assert not outcome.failed
    [virtual] = objects(files, "VirtualService")
    entries = [entry for rule in virtual["spec"]["http"] for entry in rule["route"]]
    headers = [(entry.get("headers") or {}).get("response") or {} for entry in entries]
    return [header["add"]["Set-Cookie"].partition(";")[0] for header in headers if header]


def test_a_cookie_is_that_of_one_release() -> None:
    """Both sides' cookies are the same at all of its stages and others in any other, also for the same stable side."""
    first, other = cookies("podinfo:6.0.1", "1"), cookies("podinfo:6.0.2", "1")
    assert [name.partition("=")[0] for name in first] == ["primary-cookie", "flagger-cookie"]
    assert first == cookies("podinfo:6.0.1", "2") == cookies("podinfo:6.0.1", "promote")
    assert not {*first} & {*other}
