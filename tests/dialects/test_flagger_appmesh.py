"""Flagger on App Mesh: each pod has one VirtualNode whenever it starts, and each request the version that is meant."""

from collections import Counter
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest

from krmfn.results import Refused
from krmfn.stage import timeline
from tests.dialects.test_flagger import made, read
from tests.dialects.test_flagger_requests import NEW, answers, objects
from tests.routers import appmesh
from tests.routers.meaning import Request
from tests.stories import FIXTURES, Files, rendered, story

PROVIDER = "appmesh:v1beta2"
STORIES = ("podinfo-appmesh", "podinfo-ab-appmesh", "podinfo-appmesh-label", "podinfo-appmesh-track")
INSIDER = {"x-canary": "insider"}
WEIGHTS = {"stepWeight": 50}


def frames(name: str) -> list[tuple[str, Files, Any]]:
    """Return every position of a story's release, and every way back, each from the one before."""
    told = story(FIXTURES / "flagger" / name)
    files, outcome = rendered(told.files, told.config | {"step": "0"})
    (view,) = outcome.views
    ahead = [str(position) for position in timeline(view.plan, view.total)]
    back = [f"{rest}>0/{half}" for rest in ("promote", "1") for half in ("scale", "shift", "drain")]
    found = []
    for step in [*ahead[:-2], *back, "0", *ahead]:
        files, outcome = rendered(files, told.config | {"step": step})
        assert not outcome.failed, step
        found.append((step, files, outcome.views[0]))
    return found


def owners(files: Files, labels: dict[str, str]) -> list[str]:
    """Return the VirtualNodes that select a pod with such labels."""
    nodes = objects(files, "VirtualNode")
    return [n["metadata"]["name"] for n in nodes if n["spec"]["podSelector"]["matchLabels"].items() <= labels.items()]


def pods(files: Files) -> dict[str, dict[str, str]]:
    """Return the labels of the pods of each Deployment."""
    return {d["metadata"]["name"]: d["spec"]["template"]["metadata"]["labels"] for d in objects(files, "Deployment")}


@pytest.mark.parametrize("name", STORIES)
def test_every_pod_that_starts_has_one_virtual_node(name: str) -> None:
    """App Mesh starts none that two select, nor one that has to have a node and has none."""
    counts = {step: {len(owners(files, labels)) for labels in pods(files).values()} for step, files, _ in frames(name)}
    assert {step: {1} for step in counts} == counts


@pytest.mark.parametrize("name", STORIES)
def test_while_versions_differ_each_side_has_its_own_virtual_node(name: str) -> None:
    """The primary's has stable pods alone, the canary's those of the canary."""
    for step, files, view in frames(name):
        if view.stage.pinned:
            found = {workload: owners(files, labels) for workload, labels in pods(files).items()}
            assert found == {"podinfo": ["podinfo-primary"], "podinfo-canary": ["podinfo-canary"]}, step


@pytest.mark.parametrize("name", STORIES)
def test_a_pod_that_an_earlier_template_makes_anew_has_one_as_well(name: str) -> None:
    """While a Deployment takes another template, pods of the one before may still be replaced."""
    for (_, before, _), (step, files, _) in pairwise(frames(name)):
        assert {len(owners(files, pods(before)["podinfo"]))} == {1}, step


@pytest.mark.parametrize("name", STORIES)
def test_a_pod_may_start_before_its_virtual_node_is_turned(name: str) -> None:
    """Whoever applies routes only when the pods are ready waits for none that cannot start."""
    for (_, before, _), (step, files, _) in pairwise(frames(name)):
        assert {len(owners(before, labels)) for labels in pods(files).values()} == {1}, step


def arrivals(files: Files, headers: dict[str, str]) -> dict[str, Fraction]:
    """Return which Services get such requests from the mesh, by the names of its nodes; each is at a port of theirs."""
    (router,) = [one for one in objects(files, "VirtualRouter") if one["metadata"]["name"] == "podinfo"]
    grpc = any("grpcRoute" in one for one in router["spec"]["routes"])
    shares = appmesh.call(router, headers) if grpc else appmesh.route(router, Request(path="/", headers=headers))
    nodes = {node["metadata"]["name"]: node["spec"] for node in objects(files, "VirtualNode")}
    ports = {s["metadata"]["name"]: {port["port"] for port in s["spec"]["ports"]} for s in objects(files, "Service")}
    found: Counter[str] = Counter()
    for arrival, share in shares.items():
        service, namespace, *_ = nodes[arrival.node]["serviceDiscovery"]["dns"]["hostname"].split(".")
        assert namespace == "test"
        assert nodes[arrival.node]["listeners"][0]["portMapping"]["port"] in ports[service]
        found[service] += share
    return dict(found)


@pytest.mark.parametrize("name", STORIES)
def test_every_request_is_answered_by_the_version_that_its_stage_says(name: str) -> None:
    """At every commit, through router, node and Service, whenever the pods have started."""
    for step, files, view in frames(name):
        traffic, done = view.stage.traffic, view.stage.template == "target"
        matching, weight = bool(traffic and traffic.matches), Fraction((traffic.weight or 0) if traffic else 0, 100)
        shares = []
        for headers in ({}, INSIDER):
            parts = [(answers(files, service), part) for service, part in arrivals(files, headers).items()]
            shares.append(sum(part * Fraction(behind[NEW], behind.total()) for behind, part in parts))
        if not step.startswith("promote>0"):  # there the stable side's pods are of both versions
            assert shares == [1 if done else weight, 1 if done or matching else weight], step


def test_times_and_retries_are_those_of_the_service() -> None:
    """Milliseconds, and what Flagger tries again where nobody says."""
    service = {"timeout": "1m1.001s", "retries": {"attempts": 2}}
    way = made(read(WEIGHTS, service, provider=PROVIDER))["VirtualRouter", "podinfo"]["routes"][0]["httpRoute"]
    assert (way["timeout"], way["retryPolicy"]) == (
        {"perRequest": {"unit": "ms", "value": 61001}},
        {
            "httpRetryEvents": ["gateway-error"],
            "maxRetries": 2,
            "perRetryTimeout": {"unit": "ms", "value": 250},
        },
    )


def test_a_gateway_serves_the_hosts() -> None:
    """They are on the VirtualService of the apex alone."""
    plan = read(WEIGHTS, {"hosts": ["a.example.com", "b.example.com"]}, provider=PROVIDER)
    found = {
        m["metadata"]["name"]: m["metadata"].get("annotations") for m in plan.makes if m["kind"] == "VirtualService"
    }
    prefix = "gateway.appmesh.k8s.aws/"
    assert found == {
        "podinfo": {f"{prefix}expose": "true", f"{prefix}domain": "a.example.com,b.example.com"},
        "podinfo-canary": None,
    }


ERRORS: dict[str, tuple[dict[str, Any], str, str]] = {
    "another port": ({"targetPort": 9898}, PROVIDER, "spec.service.targetPort: is 9898, and App Mesh calls a Service"),
    "another port by its name": (
        {"targetPort": "http"},
        PROVIDER,
        "spec.service.targetPort: is http, which is port 9898, and App Mesh calls a Service at the port that its pods",
    ),
    "no duration": ({"timeout": "soon"}, PROVIDER, "spec.service.timeout: 'soon' is no duration"),
    "an event of Istio's": (
        {"retries": {"retryOn": "5xx"}},
        PROVIDER,
        "spec.service.retries.retryOn: '5xx' is not what App Mesh tries again; it knows client-error, gateway-error,",
    ),
    "more than a path": (
        {"match": [{"uri": {"exact": "/a"}}]},
        PROVIDER,
        "spec.service.match[0].uri: is not what a VirtualRouter is made of; use uri.prefix",
    ),
    "a path of calls": (
        {"portName": "grpc", "match": [{"uri": {"prefix": "/a"}}]},
        PROVIDER,
        "spec.service.match: asks for a path, which calls do not have",
    ),
    "the first version": ({}, "appmesh", "spec.provider: appmesh is not rendered: its objects have a version that"),
}


@pytest.mark.parametrize(("service", "provider", "message"), ERRORS.values(), ids=ERRORS)
def test_what_would_not_work_is_an_error(service: dict[str, Any], provider: str, message: str) -> None:
    """It names the field."""
    with pytest.raises(Refused) as caught:
        read(WEIGHTS, service, provider=provider)
    said = [f"{problem.field}: {problem.message}" for problem in caught.value.problems]
    assert [line for line in said if line.startswith(message)], said


OTHER = b"""
apiVersion: appmesh.k8s.aws/v1beta2
kind: VirtualNode
metadata: {name: mine, namespace: test}
spec: {podSelector: {matchLabels: {app: podinfo}}}
"""


def test_another_virtual_node_with_the_same_pods_is_an_error() -> None:
    """None of them would start again."""
    told = story(FIXTURES / "flagger" / "podinfo-appmesh")
    _, outcome = rendered(told.files | {"node.yaml": OTHER}, told.config | {"step": "0"})
    where, _, why = outcome.results[0].line().partition(": selects ")
    assert where == "error: VirtualNode test/mine spec.podSelector"
    assert why == (
        "the pods of Deployment test/podinfo, as podinfo-primary does, and App Mesh starts no pod that two "
        "VirtualNodes select; remove this one (node.yaml)"
    )
