"""Flagger's Canary: which stops its analysis makes, and what of it is an error."""

from typing import Any

import pytest
import yaml

from krmfn import dialects, krm
from krmfn.dialects import flagger
from krmfn.plan import Plan
from krmfn.results import Refused
from krmfn.scene import Scene

APP = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: podinfo, namespace: test}
spec:
  replicas: 2
  selector: {matchLabels: {app: podinfo, tier: web}}
  template:
    metadata: {labels: {app: podinfo, tier: web}}
    spec:
      containers:
      - name: podinfo
        image: example.com/podinfo:1
        ports: [{name: http, containerPort: 9898}, {containerPort: 9999}]
      - {name: istio-proxy, image: "example.com/proxy:1", ports: [{name: admin, containerPort: 15000}]}
"""
METADATA = {"name": "podinfo", "namespace": "test"}
TARGET = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "podinfo"}
TIMES = {"interval": "30s", "threshold": 5}


def read(analysis: dict[str, Any], service: dict[str, Any] | None = None, **spec: Any) -> Plan:
    """Return the plan of a Canary."""
    whole = {"targetRef": TARGET, "service": {"port": 80} | (service or {}), "analysis": TIMES | analysis} | spec
    canary = {"apiVersion": "flagger.app/v1beta1", "kind": "Canary", "metadata": METADATA, "spec": whole}
    package = krm.read_files([("app.yaml", APP.encode()), ("canary.yaml", yaml.safe_dump(canary).encode())])
    dialect = dialects.find(package.items[1])
    assert dialect
    return dialect.plan(package.items[1], Scene(package))


def stops(plan: Plan) -> list[str]:
    """Return who gets the canary at each step, in words."""
    assert {str(step.pods) for step in plan.steps} == {"100%"}
    return [str(step.traffic) for step in plan.steps]


def weights(plan: Plan) -> list[int | None]:
    """Return the canary's weight at each step."""
    return [step.traffic.weight for step in plan.steps]


# What Flagger's own tests expect of its scheduler, and what its rules come to, as the canary's weight.
WEIGHTS: dict[str, tuple[dict[str, Any], list[int]]] = {
    "by 20 to 50": ({"stepWeight": 20, "maxWeight": 50}, [20, 40, 60]),
    "by 10 to 50": ({"stepWeight": 10, "maxWeight": 50}, [10, 20, 30, 40, 50]),
    "by 50 to 100": ({"stepWeight": 50, "maxWeight": 100}, [50, 100]),
    "by 30": ({"stepWeight": 30}, [30, 60, 90, 100]),
    "by 100": ({"stepWeight": 100}, [100]),
    "at once": ({"stepWeight": 100, "stepWeightPromotion": 50}, [100]),
    "back in steps of 20": ({"stepWeight": 25, "maxWeight": 50, "stepWeightPromotion": 20}, [25, 50]),
    "listed": ({"stepWeights": [1, 2, 10, 80]}, [1, 2, 10, 80]),
    "listed, more than all": ({"stepWeights": [1, 2, 10, 200]}, [1, 2, 10, 100]),
    "listed, up to all": ({"stepWeights": [10, 100]}, [10, 100]),
    "listed beyond the most": ({"stepWeights": [10, 60], "maxWeight": 50}, [10, 60]),
}


@pytest.mark.parametrize(("analysis", "expected"), WEIGHTS.values(), ids=WEIGHTS)
def test_a_canary_stops_where_flagger_would(analysis: dict[str, Any], expected: list[int]) -> None:
    """Each weight at which the controller would look is a step; the last one may well be more than maxWeight."""
    assert weights(read(analysis)) == expected


@pytest.mark.parametrize(
    ("analysis", "expected"),
    [
        ({"stepWeight": 25, "maxWeight": 50, "stepWeightPromotion": 20}, (30, 10)),
        ({"stepWeight": 100, "stepWeightPromotion": 50}, (50,)),
        ({"iterations": 3, "stepWeightPromotion": 40}, (60, 20)),
        ({"stepWeight": 50, "stepWeightPromotion": 100}, ()),
        ({"stepWeight": 50, "stepWeightPromotion": 0}, ()),
    ],
)
def test_the_way_back_takes_the_shifts_that_flagger_takes(analysis: dict[str, Any], expected: tuple[int, ...]) -> None:
    """After promote the canary's weight goes down by stepWeightPromotion; the last shift is finalise."""
    assert read(analysis).returns == expected


ALL, NONE, COPIES = "100% of the requests", "0% of the requests", "0% of the requests, a copy of 100% of the requests"
MATCH = {"match": [{"headers": {"x-canary": {"exact": "insider"}}}]}
STRATEGIES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "canary that is mirrored first": ({"stepWeight": 40, "mirror": True}, [COPIES, "40% of the requests"]),
    "A/B": ({"iterations": 3} | MATCH, ["the requests that match"]),
    "blue-green": ({"iterations": 10}, [NONE, ALL]),
    "blue-green that is mirrored": ({"iterations": 10, "mirror": True}, [COPIES, ALL]),
}


@pytest.mark.parametrize(("analysis", "expected"), STRATEGIES.values(), ids=STRATEGIES)
def test_every_strategy_has_its_stops(analysis: dict[str, Any], expected: list[str]) -> None:
    """Several looks at the same state are one step; each of them has all of the canary's pods."""
    assert stops(read(analysis))[: len(expected)] == expected


def test_a_plain_service_sends_nobody_to_the_canary() -> None:
    """Without a route the canary is looked at through its own Service, and then promoted."""
    assert stops(read({"iterations": 10}, provider="kubernetes")) == [NONE]
    assert stops(read({}, provider="kubernetes", skipAnalysis=True)) == [NONE]


def test_what_is_called_before_the_first_request_has_a_step_of_its_own() -> None:
    """Flagger waits for one interval with the canary's pods ready; a webhook may look at them by then."""
    hooks = [{"name": "smoke", "type": "pre-rollout", "url": "http://x/"}, {"name": "load", "url": "http://x/"}]
    plan = read({"stepWeight": 50, "webhooks": hooks, "metrics": [{"name": "errors"}]})
    assert stops(plan) == [NONE, "50% of the requests", ALL]
    good = "metric errors and webhook load"
    assert [step.gate.check for step in plan.steps] == ["webhook smoke", good, good]


def test_a_confirmation_is_part_of_the_last_gate() -> None:
    """What Flagger asks before it promotes is asked before promote."""
    hooks = [{"name": "boss", "type": "confirm-promotion", "url": "http://x/"}]
    assert [step.gate.check for step in read({"stepWeight": 50, "webhooks": hooks}).steps] == ["", "boss confirms"]


def made(plan: Plan) -> dict[tuple[str, str], Any]:
    """Return what a rollout makes, by kind and name."""
    return {(m["kind"], m["metadata"]["name"]): m["spec"] for m in plan.makes}


def test_all_ports_of_the_pods_are_found_where_that_is_wanted() -> None:
    """Those of a mesh and the one that is written are left out; one without a name is called by its place."""
    ports = made(read({"stepWeight": 50}, {"targetPort": "http", "portDiscovery": True}))["Service", "podinfo"]["ports"]
    assert ports == [
        {"name": "http", "protocol": "TCP", "port": 80, "targetPort": "http"},
        {"name": "tcp-podinfo-1", "protocol": "TCP", "port": 9999, "targetPort": 9999},
    ]


@pytest.mark.parametrize(
    ("written", "wanted"), [({}, 80), ({"targetPort": 9898}, 9898), ({"targetPort": "http"}, "http")]
)
def test_a_service_leads_to_the_port_that_is_written(written: dict[str, Any], wanted: object) -> None:
    """A number or a name; the Service's own where nobody says."""
    assert made(read({"stepWeight": 50}, written))["Service", "podinfo-canary"]["ports"][0]["targetPort"] == wanted


def test_services_choose_pods_by_one_label() -> None:
    """It is the first of Flagger's that the workload's selector has."""
    assert {m["spec"]["selector"]["app"] for m in read({"stepWeight": 50}).makes if m["kind"] == "Service"} == {
        "podinfo"
    }


@pytest.mark.parametrize(
    ("service", "expected"),
    [
        ({}, {"gateways": ["mesh"], "hosts": ["podinfo"]}),
        ({"hosts": ["*"], "gateways": ["public"]}, {"gateways": ["public"], "hosts": ["*"]}),
        ({"hosts": ["shop.example.com"]}, {"gateways": ["mesh"], "hosts": ["shop.example.com", "podinfo"]}),
        ({"delegation": True}, {}),
    ],
)
def test_a_virtual_service_is_reached_as_in_flagger(service: dict[str, Any], expected: dict[str, Any]) -> None:
    """The apex Service is one of its hosts, unless every host is; who is delegated to has none."""
    spec = made(read({"stepWeight": 50}, service))["VirtualService", "podinfo"]
    assert {key: value for key, value in spec.items() if key != "http"} == expected


def test_connections_are_divided_where_the_protocol_is_none_that_istio_reads() -> None:
    """A VirtualService for tcp matches the port."""
    spec = made(read({"stepWeight": 50}, {"appProtocol": "TCP"}))["VirtualService", "podinfo"]
    assert [(rule["match"], len(rule["route"])) for rule in spec["tcp"]] == [([{"port": 80}], 2)]


ERRORS: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any], str]] = {
    "no strategy": ({}, {}, {}, "spec.analysis: needs one of iterations, stepWeight, stepWeights, and has none"),
    "two strategies": (
        {"iterations": 1, "stepWeight": 5},
        {},
        {},
        "spec.analysis: needs one of iterations, stepWeight, stepWeights, and has iterations and stepWeight",
    ),
    "weights that descend": ({"stepWeights": [10, 5]}, {}, {}, "spec.analysis.stepWeights[1]: is 5 after 10; "),
    "no weights": ({"stepWeights": []}, {}, {}, "spec.analysis.stepWeights: has to be a list of weights"),
    "weights of those that match": ({"stepWeight": 5} | MATCH, {}, {}, "spec.analysis.match: stands beside stepWeight"),
    "copies of those that match": (
        {"iterations": 1, "mirror": True} | MATCH,
        {},
        {},
        "spec.analysis.mirror: stands beside match",
    ),
    "weights without a route": (
        {"stepWeight": 5},
        {},
        {"provider": "kubernetes"},
        "spec.analysis.stepWeight: has no route that could do it",
    ),
    "a match without a route": (
        {"iterations": 1} | MATCH,
        {},
        {"provider": "kubernetes"},
        "spec.analysis.match: has no route that could do it",
    ),
    "everybody matches": ({"iterations": 1, "match": [{}]}, {}, {}, "spec.analysis.match[0]: matches every request"),
    "who calls in no words": (
        {"iterations": 1, "match": [{"sourceLabels": {"app": 1}}]},
        {},
        {},
        "spec.analysis.match[0].sourceLabels.app: must be a string",
    ),
    "one cookie for both": (
        {"stepWeight": 5, "sessionAffinity": {"cookieName": "side", "primaryCookieName": "side"}},
        {},
        {},
        "spec.analysis.sessionAffinity.primaryCookieName: is the name of the canary's cookie as well",
    ),
    "a field that is none": (
        {"stepWeigth": 5, "iterations": 1},
        {},
        {},
        "spec.analysis.stepWeigth: is not known; did you mean stepWeight?",
    ),
    "no interval": ({"stepWeight": 5, "interval": "soon"}, {}, {}, "spec.analysis.interval: 'soon' is no duration"),
    "headless": (
        {"stepWeight": 5},
        {"headless": True},
        {},
        "spec.service.headless: makes Services whose clients reach",
    ),
    "a port that is not there": ({"stepWeight": 5}, {"targetPort": "web"}, {}, "spec.service.targetPort: 'web' is the"),
    "no gateway": (
        {"stepWeight": 5},
        {},
        {"provider": "gatewayapi:v1"},
        "spec.service.gatewayRefs: is required: with the provider gatewayapi:v1",
    ),
    "no ingress": (
        {"stepWeight": 5},
        {},
        {"provider": "nginx"},
        "spec.ingressRef: is required: with the provider nginx",
    ),
    "no such provider": (
        {"stepWeight": 5},
        {},
        {"provider": "gatewayapi"},
        "spec.provider: gatewayapi is not rendered",
    ),
    "delegated to by name": (
        {"stepWeight": 5},
        {"delegation": True, "hosts": ["x"]},
        {},
        "spec.service.hosts: stands beside delegation",
    ),
    "an autoscaler that is not there": (
        {"stepWeight": 5},
        {},
        {"autoscalerRef": {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "name": "x"}},
        "spec.autoscalerRef.name: names HorizontalPodAutoscaler test/x, which is not in the package",
    ),
    "another kind of workload": (
        {"stepWeight": 5},
        {},
        {"targetRef": TARGET | {"kind": "StatefulSet"}},
        "spec.targetRef.kind: StatefulSet.apps cannot be released; that can be: Deployment.apps, DaemonSet.apps",
    ),
}


@pytest.mark.parametrize(("analysis", "service", "spec", "message"), ERRORS.values(), ids=ERRORS)
def test_what_flagger_would_do_in_silence_is_an_error(
    analysis: dict[str, Any], service: dict[str, Any], spec: dict[str, Any], message: str
) -> None:
    """It names the field, and what to do instead."""
    with pytest.raises(Refused) as caught:
        read(analysis, service, **spec)
    said = [f"{problem.field}: {problem.message}" for problem in caught.value.problems]
    assert [line for line in said if line.startswith(message)], said


COMPARED = {
    "exact": ("insider", "Exact", "insider"),
    "regex": ("^in.*", "RegularExpression", "^in.*"),
    "prefix": ("in.", "RegularExpression", r"^in\..*"),
    "suffix": (".org", "RegularExpression", r".*\.org$"),
}


@pytest.mark.parametrize("kind", COMPARED)
def test_a_text_is_compared_as_it_is_written(kind: str) -> None:
    """In full, by a regular expression, by how it begins and by how it ends."""
    written, expected, value = COMPARED[kind]
    plan = read(
        {"iterations": 1, "match": [{"headers": {"x": {kind: written}}}, {"queryParams": {"q": {kind: written}}}]}
    )
    conditions = [condition for match in plan.steps[0].traffic.matches for condition in match.conditions]
    assert [(c.part, c.type, c.value) for c in conditions] == [("header", expected, value), ("query", expected, value)]


def test_services_are_called_as_the_author_says() -> None:
    """The name of the service is that of the apex, of its route, and the beginning of the others'."""
    plan = read({"stepWeight": 50}, {"name": "front", "portName": "grpc", "appProtocol": "grpc"})
    assert set(made(plan)) == {
        ("Service", "front"),
        ("Service", "front-primary"),
        ("Service", "front-canary"),
        ("DestinationRule", "front-primary"),
        ("DestinationRule", "front-canary"),
        ("VirtualService", "front"),
    }
    assert made(plan)["Service", "front"]["ports"] == [
        {"name": "grpc", "protocol": "TCP", "port": 80, "appProtocol": "grpc", "targetPort": 80}
    ]
    assert {m["metadata"]["labels"]["app"] for m in plan.makes if m["kind"] == "Service"} == {
        "front",
        "front-primary",
        "front-canary",
    }


def test_on_nginx_the_header_cookie_names_a_cookie() -> None:
    """Its value is the word by which ingress-nginx sends somebody to the canary."""
    ingress = {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "name": "podinfo"}
    match = {"headers": {"cookie": {"exact": "canary"}}}
    plan = read({"iterations": 1, "match": [match]}, provider="nginx", ingressRef=ingress)
    conditions = [condition for each in plan.steps[0].traffic.matches for condition in each.conditions]
    assert [(c.part, c.name, c.value, c.type) for c in conditions] == [("cookie", "canary", "always", "Exact")]


def test_what_the_author_wants_on_an_object_is_on_it() -> None:
    """Labels and annotations of a side are on its Service, those of the apex on the route as well."""
    plan = read({"stepWeight": 50}, {"apex": {"labels": {"team": "a"}}, "canary": {"annotations": {"scrape": "no"}}})
    found = {(m["kind"], m["metadata"]["name"]): m["metadata"] for m in plan.makes}
    assert [found[kind, "podinfo"]["labels"].get("team") for kind in ("Service", "VirtualService")] == ["a", "a"]
    assert found["Service", "podinfo-canary"]["annotations"] == {"scrape": "no"}


def test_a_field_that_a_provider_does_not_use_is_named() -> None:
    """Flagger ignores it without a word."""
    plan = read({"iterations": 1}, {"timeout": "5s"}, provider="kubernetes")
    [remark] = [remark for remark in plan.remarks if remark.severity == "warning"]
    assert (remark.field, remark.message) == ("spec.service.timeout", "is not used by the provider kubernetes")


def test_what_flagger_does_not_tell_contour_is_named() -> None:
    """It is ignored there as well, so it is nothing to stop a release for."""
    service = {"retries": {"attempts": 3, "retryOn": "5xx"}, "rewrite": {"uri": "/", "authority": "a.example.com"}}
    plan = read({"stepWeight": 50}, service, provider="contour")
    said = [(remark.field, remark.message) for remark in plan.remarks if remark.severity == "warning"]
    assert said == [
        ("spec.service.retries.retryOn", "is not used by the provider contour"),
        ("spec.service.rewrite.authority", "is not used by the provider contour"),
    ]


def ranged(kind: str, own: dict[str, int], wanted: dict[str, int]) -> list[str]:
    """Return what is said about the range of pods of Flagger's copy, where the author's autoscaler has its own."""
    api = {"HorizontalPodAutoscaler": "autoscaling/v2", "ScaledObject": "keda.sh/v1alpha1"}[kind]
    reference = {"apiVersion": api, "kind": kind, "name": "podinfo"}
    scaler = {"apiVersion": api, "kind": kind, "metadata": METADATA, "spec": {"scaleTargetRef": TARGET} | own}
    spec = {
        "targetRef": TARGET,
        "service": {"port": 80},
        "analysis": TIMES | {"stepWeight": 50},
        "autoscalerRef": reference | {"primaryScalerReplicas": wanted},
    }
    canary = {"apiVersion": "flagger.app/v1beta1", "kind": "Canary", "metadata": METADATA, "spec": spec}
    files = {"a.yaml": APP, "b.yaml": yaml.safe_dump(canary), "c.yaml": yaml.safe_dump(scaler)}
    package = krm.read_files([(name, text.encode()) for name, text in files.items()])
    try:
        found = flagger.plan(package.items[1], Scene(package)).remarks
    except Refused as refused:
        return [f"error {problem.field}" for problem in refused.problems]
    return [f"{one.severity} {one.field}" for one in found if "primaryScaler" in one.field]


@pytest.mark.parametrize(
    ("kind", "own", "wanted", "severity"),
    [
        ("HorizontalPodAutoscaler", {"minReplicas": 3, "maxReplicas": 9}, {"minReplicas": 3, "maxReplicas": 9}, "info"),
        ("HorizontalPodAutoscaler", {"maxReplicas": 9}, {"minReplicas": 1}, "info"),
        ("HorizontalPodAutoscaler", {"minReplicas": 3, "maxReplicas": 9}, {"maxReplicas": 10}, "error"),
        ("ScaledObject", {"minReplicaCount": 3}, {"minReplicas": 3, "maxReplicas": 100}, "info"),
        ("ScaledObject", {"minReplicaCount": 3}, {"minReplicas": 2}, "error"),
    ],
)
def test_a_range_for_a_copy_that_there_is_not_may_be_the_author_s_own(
    kind: str, own: dict[str, int], wanted: dict[str, int], severity: str
) -> None:
    """The autoscaler scales the stable pods here: the same numbers say nothing new, others would be lost."""
    assert ranged(kind, own, wanted) == [f"{severity} spec.autoscalerRef.primaryScalerReplicas"]


def test_istio_s_words_become_those_of_the_gateway_api() -> None:
    """What a rule asks for, changes and waits for is the same in other words."""
    service = {
        "gatewayRefs": [{"name": "gateway"}],
        "match": [{"uri": {"exact": "/a"}, "method": {"exact": "GET"}, "headers": {"x": {"regex": "b.*"}}}],
        "rewrite": {"uri": "/c", "authority": "d.example.com"},
        "headers": {"response": {"set": {"e": "f"}, "remove": ["g"]}},
        "mirror": [{"backendRef": {"name": "copy", "port": 80}}],
        "corsPolicy": {"allowOrigin": ["https://h.example.com"], "maxAge": "60s", "allowCredentials": True},
        "timeout": "5s",
        "backendTimeout": "2s",
    }
    [rule] = made(read({"stepWeight": 50}, service, provider="gatewayapi:v1"))["HTTPRoute", "podinfo"]["rules"]
    assert rule["matches"] == [
        {
            "path": {"type": "Exact", "value": "/a"},
            "method": "GET",
            "headers": [{"type": "RegularExpression", "name": "x", "value": "b.*"}],
        }
    ]
    assert rule["filters"] == [
        {
            "type": "ResponseHeaderModifier",
            "responseHeaderModifier": {"set": [{"name": "e", "value": "f"}], "remove": ["g"]},
        },
        {
            "type": "URLRewrite",
            "urlRewrite": {
                "hostname": "d.example.com",
                "path": {"type": "ReplaceFullPath", "replaceFullPath": "/c"},
            },
        },
        {"type": "RequestMirror", "requestMirror": {"backendRef": {"name": "copy", "port": 80}}},
        {
            "type": "CORS",
            "cors": {"allowCredentials": True, "allowOrigins": ["https://h.example.com"], "maxAge": 60},
        },
    ]
    assert rule["timeouts"] == {"request": "5s", "backendRequest": "2s"}
