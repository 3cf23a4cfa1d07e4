"""KubeVela's Application: what its traits and its workflow ask for, and what it is made of."""

import contextlib
import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from krmfn import dialects, krm
from krmfn.errors import KrmfnError
from krmfn.krm import Item
from krmfn.plan import Amount, Gate, Plan, Traffic
from krmfn.results import Refused
from krmfn.scene import Scene
from tests.stories import FIXTURES

WEB = {"image": "example.com/web:1", "ports": [{"port": 8090}]}
SCALER = {"type": "scaler", "properties": {"replicas": 5}}
GATEWAY = {"type": "gateway", "properties": {"domain": "shop.example.com", "http": {"/": 8090}}}
INGRESS, ROUTE = ("Ingress", "nginx", "web"), ("HTTPRoute", "", "web")
PERSON = Gate()


def application(*traits: dict[str, Any], workflow: list[Any] | None = None, **properties: Any) -> Item:
    """Return an Application with one webservice."""
    component = {"name": "web", "type": "webservice", "properties": WEB | properties, "traits": list(traits)}
    spec: dict[str, Any] = {"components": [component]}
    if workflow:
        spec["workflow"] = {"steps": workflow}
    whole = {
        "apiVersion": "core.oam.dev/v1beta1",
        "kind": "Application",
        "metadata": {"name": "shop", "namespace": "prod"},
        "spec": spec,
    }
    return krm.read_files([("shop.yaml", yaml.safe_dump(whole, sort_keys=False).encode())]).items[0]


def read(*traits: dict[str, Any], workflow: list[Any] | None = None, **properties: Any) -> Plan:
    """Return the plan of an Application with one webservice."""
    item = application(*traits, workflow=workflow, **properties)
    dialect = dialects.find(item)
    assert dialect
    return dialect.plan(item, Scene(krm.read_files([("shop.yaml", item.text.encode())])))


def kruise(steps: list[Any], routings: list[Any] | None = None, **more: Any) -> dict[str, Any]:
    """Return the trait of the addon."""
    canary: dict[str, Any] = {"steps": steps} | ({"trafficRoutings": routings} if routings is not None else {})
    return {"type": "kruise-rollout", "properties": {"canary": canary} | more}


def weights(*numbers: int) -> list[dict[str, Any]]:
    """Return steps with nothing but a weight."""
    return [{"weight": number} for number in numbers]


def routes(plan: Plan) -> list[tuple[str, str, str]]:
    """Return what each route is, how it is divided, and its name."""
    return [(route.kind, route.variant, route.name) for route in plan.routes]


@pytest.mark.parametrize(
    ("trait", "gates"),
    [
        (kruise(weights(20, 90), [{"type": "ingress"}]), [PERSON, PERSON]),
        (
            kruise([w | {"duration": 60} for w in weights(10, 20, 30, 40)], stepPartition=2),
            [Gate(0)] * 2 + [PERSON] * 2,
        ),
        (kruise([{"weight": 20, "duration": 60}, {"replicas": "50%"}]), [Gate(60), PERSON]),
        (kruise([{"weight": 20, "duration": 60}, {"weight": 50}], auto=True), [Gate(0), Gate(0)]),
        (kruise(weights(20, 50), auto=True, stepPartition=0), [Gate(0), Gate(0)]),
    ],
)
def test_a_step_waits_as_the_trait_says(trait, gates):
    """For seconds, for a person, or for nothing: `auto` and `stepPartition` win over what a step says."""
    assert [step.gate for step in read(trait).steps] == gates


def test_a_step_has_as_many_pods_as_it_says_or_as_its_weight():
    """The weight is a share of the pods too, unless the replicas are given; without a route it is nothing else."""
    steps = [{"weight": 20}, {"replicas": 2, "weight": 50}, {"replicas": "60%"}]
    amounts = [Amount(20, percent=True), Amount(2), Amount(60, percent=True)]

    assert [step.pods for step in read(kruise(steps)).steps] == amounts[:2] + amounts[2:]
    assert [step.traffic for step in read(kruise(steps)).steps] == [Traffic()] * 3
    assert [step.traffic.weight for step in read(GATEWAY, kruise(steps, [{}])).steps] == [20, 50, None]


@pytest.mark.parametrize(
    ("entry", "route", "service"),
    [
        ({}, INGRESS, "web"),
        ({"type": "ingress"}, INGRESS, "web"),
        ({"type": "nginx"}, INGRESS, "web"),
        ({"type": "aliyun-alb"}, ("Ingress", "aliyun-alb", "web"), "web"),
        ({"type": "gateway"}, ROUTE, "web"),
        ({"type": "gateway", "gatewayHTTPRouteName": "front"}, ("HTTPRoute", "", "front"), "web"),
        ({"service": "api", "ingressName": "front"}, ("Ingress", "nginx", "front"), "api"),
    ],
)
def test_everything_is_called_like_the_component_unless_it_is_said(entry, route, service):
    """The Service and the route of a release have the component's name, in each type that the documents know."""
    plan = read(kruise(weights(20), [entry]))

    assert routes(plan) == [route]
    assert [(pair.stable, pair.canary) for pair in plan.services] == [(service, f"{service}-canary")]


@pytest.mark.parametrize(
    ("gateway", "route", "service"),
    [
        ({"name": "front"}, ("Ingress", "nginx", "web-front"), "web-front"),
        ({"class": "higress"}, ("Ingress", "higress", "web"), "web"),
        ({"class": "alb", "classInSpec": True}, ("Ingress", "aliyun-alb", "web"), "web"),
        ({"existingServiceName": "api"}, INGRESS, "api"),
    ],
)
def test_a_release_divides_what_its_gateway_makes(gateway, route, service):
    """The Ingress and the Service of the trait beside it are meant, whatever they are called."""
    trait = {"type": "gateway", "properties": GATEWAY["properties"] | gateway}
    for plan in (read(trait, kruise(weights(20), [{}])), read(trait, {"type": "rolling-release"} | share(20))):
        assert routes(plan) == [route]
        assert [pair.stable for pair in plan.services] == [service]


def share(weight: int, **more: Any) -> dict[str, Any]:
    """Return the properties of a share of a release."""
    return {"properties": {"weight": weight} | more}


def test_batches_take_their_pods_from_the_stable_side():
    """A batch is a share of the pods; a canary stands beside all of them."""
    rolling = {"type": "rolling-release"}

    assert [read(kruise(weights(20), releaseMode=mode)).shares for mode in ("canary", "batch")] == [False, True]
    assert [read(rolling | share(20, rolloutType=kind)).shares for kind in ("canary", "partition")] == [False, True]
    assert read(rolling | share(20)).shares


def test_a_workflow_waits_where_it_is_suspended():
    """A person resumes it, or some time passes; nobody goes on from a last share that is not all."""
    deploy, suspend = {"type": "canary-deploy"}, {"type": "suspend"}
    some_time = suspend | {"properties": {"duration": "1m30s"}}
    ends = [deploy | share(10), deploy | share(20), suspend, deploy | share(50), some_time, deploy | share(80)]

    assert [step.gate for step in read(workflow=ends).steps] == [Gate(0), PERSON, Gate(90), PERSON]
    assert [step.gate for step in read(workflow=[*ends, deploy | share(100)]).steps][-1] == Gate(0)
    assert [step.gate for step in read(workflow=[deploy | share(10), some_time, suspend]).steps] == [PERSON]
    assert [step.gate for step in read(workflow=[deploy | share(10), suspend, some_time]).steps] == [PERSON]


def test_a_service_is_made_once_with_the_ports_of_all_that_ask_for_it():
    """The component, a gateway and an `expose` may mean the same Service."""
    ports = {"ports": [{"port": 8090, "name": "http", "expose": True}, {"port": 53, "protocol": "UDP", "expose": True}]}
    expose = {"type": "expose", "properties": {"ports": [{"port": 9090}], "annotations": {"example.com/scrape": "yes"}}}
    plan = read(GATEWAY, expose, kruise(weights(20)), **ports)
    services = [manifest for manifest in plan.makes if manifest["kind"] == "Service"]

    assert [service["spec"]["ports"] for service in services] == [
        [
            {"port": 8090, "targetPort": 8090, "name": "http", "protocol": "TCP"},
            {"port": 53, "targetPort": 53, "name": "port-53-udp", "protocol": "UDP"},
            {"port": 9090, "targetPort": 9090, "name": "port-9090", "protocol": "TCP"},
        ]
    ]
    assert services[0]["metadata"]["annotations"] == {"example.com/scrape": "yes"}


def test_traits_change_the_workload_and_its_pods():
    """Replicas, labels, annotations, variables and the account arrive where KubeVela puts them."""
    plan = read(
        SCALER,
        {"type": "labels", "properties": {"tier": "front", "gone": None}},
        {"type": "annotations", "properties": {"example.com/team": "shop"}},
        {"type": "env", "properties": {"env": {"A": "2", "C": "3"}, "unset": ["B"]}},
        {"type": "service-account", "properties": {"name": "web"}},
        kruise(weights(20)),
        env=[{"name": "A", "value": "1"}, {"name": "B", "value": "1"}],
        labels={"gone": "yes"},
    )
    deployment = plan.makes[0]
    own = {"app.oam.dev/name": "shop", "app.oam.dev/component": "web"}
    pods = deployment["spec"]["template"]

    assert deployment["metadata"]["namespace"] == "prod"
    assert deployment["metadata"]["labels"] == own | {"tier": "front"}
    assert deployment["spec"]["replicas"] == 5
    assert pods["metadata"] == {"labels": own | {"tier": "front"}, "annotations": {"example.com/team": "shop"}}
    assert pods["spec"]["containers"][0]["env"] == [{"name": "A", "value": "2"}, {"name": "C", "value": "3"}]
    assert pods["spec"]["serviceAccountName"] == "web"


def test_an_autoscaler_owns_the_number_of_pods():
    """Both traits make one for the workload; memory has its own value."""
    cpuscaler = {"type": "cpuscaler", "properties": {"min": 2, "cpuUtil": 70}}
    mem = {"type": "AverageValue", "value": 500}
    metric = {"name": "requests", "value": "100"}
    hpa = {"type": "hpa", "properties": {"max": 8, "mem": mem, "podCustomMetrics": [metric]}}
    specs = [read(trait, kruise(weights(20))).makes[1]["spec"] for trait in (cpuscaler, hpa)]
    target = {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}}
    used = {"type": "Utilization", "averageUtilization": 50}
    average = {"type": "AverageValue", "averageValue": "500"}
    pods = {"metric": {"name": "requests"}, "target": {"type": "AverageValue", "averageValue": "100"}}

    assert specs[0] == target | {"minReplicas": 2, "maxReplicas": 10, "targetCPUUtilizationPercentage": 70}
    assert specs[1] == target | {
        "minReplicas": 1,
        "maxReplicas": 8,
        "metrics": [
            {"type": "Resource", "resource": {"name": "cpu", "target": used}},
            {"type": "Resource", "resource": {"name": "memory", "target": average}},
            {"type": "Pods", "pods": pods},
        ],
    }


def test_what_a_container_may_have_at_most():
    """It is what it asks for, unless a limit is said; a port may be another one in the container."""
    port = {"port": 80, "containerPort": 8080, "expose": True}
    plan = read(kruise(weights(20)), cpu="0.5", memory="64Mi", limit={"memory": "128Mi"}, ports=[port])
    container = plan.makes[0]["spec"]["template"]["spec"]["containers"][0]

    assert container["resources"] == {
        "limits": {"cpu": "0.5", "memory": "128Mi"},
        "requests": {"cpu": "0.5", "memory": "64Mi"},
    }
    assert container["ports"] == [{"containerPort": 8080, "protocol": "TCP", "name": "port-8080"}]
    assert plan.makes[1]["spec"]["ports"] == [{"port": 80, "targetPort": 8080, "name": "port-8080", "protocol": "TCP"}]


def test_volumes_become_those_of_the_pod():
    """Each kind of volume is mounted, and one that is mounted twice is there once; the older list says the same."""
    claim = {"name": "data", "mountPath": "/data", "claimName": "web-data"}
    newer = {
        "pvc": [claim, claim | {"mountPath": "/more", "subPath": "more"}],
        "hostPath": [{"name": "host", "mountPath": "/host", "path": "/var/host"}],
    }
    older = [claim | {"type": "pvc"}, {"name": "tmp", "mountPath": "/scratch", "medium": "Memory"}]
    pods = [
        read(kruise(weights(20)), **given).makes[0]["spec"]["template"]["spec"]
        for given in ({"volumeMounts": newer}, {"volumes": older})
    ]
    data = {"name": "data", "persistentVolumeClaim": {"claimName": "web-data"}}

    assert [pod["volumes"] for pod in pods] == [
        [data, {"name": "host", "hostPath": {"path": "/var/host"}}],
        [data, {"name": "tmp", "emptyDir": {"medium": "Memory"}}],
    ]
    assert pods[0]["containers"][0]["volumeMounts"][1] == {"mountPath": "/more", "subPath": "more", "name": "data"}


@pytest.mark.parametrize(
    ("trait", "says"),
    [
        (kruise([{}]), "has neither a weight nor replicas"),
        (kruise([]), "has no step"),
        (kruise([{"weight": 0}]), "0 is out of range: 1 to 100"),
        (kruise([{"replicas": "101%"}]), "101% is out of range: 1% to 100%"),
        (kruise([{"replicas": 3}, {"replicas": 2}]), "is 2, less than the 3 of step 1; replicas may not decrease"),
        (kruise(weights(20), [{}, {}]), "is a second entry; Kruise takes one"),
        (kruise([{"replicas": 1, "matches": [{"headers": []}]}], [{}]), "matches every request; name a header"),
        (kruise(weights(20), [{"type": "istio"}]), "'istio' is none of ingress, nginx, gateway, aliyun-alb"),
        (kruise(weights(20), [{"classType": "mse"}]), "is not rendered"),
        (kruise(weights(20), workloadType={"kind": "Deployment"}), "is required"),
    ],
)
def test_a_mistake_is_told(trait, says):
    """What neither KubeVela nor Kruise would take is an error in its place."""
    with pytest.raises(Refused) as refused:
        read(GATEWAY, trait)

    assert any(problem.message.startswith(says) for problem in refused.value.problems)


def test_two_things_that_cannot_both_be_are_told():
    """Two Ingresses of one name, an environment for nobody, a gateway beside a route."""
    route = {"type": "http-route", "properties": {"gatewayName": "g", "rules": [{"port": 8090}]}}
    env = {"type": "env", "properties": {"containerName": "proxy", "env": {"A": "1"}}}
    loud = {"type": "expose", "properties": {"ports": [{"port": 8090}], "type": "LoadBalancer"}}
    quiet = {"type": "expose", "properties": {"port": [8090]}}
    with pytest.raises(Refused) as refused:
        read(GATEWAY, GATEWAY, route, env, loud, quiet, {"type": "rolling-release"} | share(20))

    assert [problem.field for problem in refused.value.problems] == [
        "spec.components[0].traits[1]",
        "spec.components[0].traits[3].properties",
        "spec.components[0].traits[5]",
        "spec.components[0].traits",
        "spec.components[0].traits",
    ]


def test_what_means_nothing_here_is_mentioned():
    """A workflow beside a trait, an order of components and the clusters of a topology are said to be left out."""
    item = application(kruise(weights(20)), workflow=[{"type": "suspend"}])
    item.value["spec"]["components"][0]["dependsOn"] = ["db"]
    item.value["spec"]["policies"] = [{"name": "here", "type": "topology", "properties": {"clusters": ["local"]}}]
    dialect = dialects.find(item)
    assert dialect
    plan = dialect.plan(item, Scene(krm.read_files([("shop.yaml", item.text.encode())])))

    assert [(remark.severity, remark.field) for remark in plan.remarks] == [
        ("info", "spec.components[0].dependsOn"),
        ("info", "spec.policies[0]"),
        ("info", "spec.workflow"),
    ]


def test_a_workflow_for_one_cluster_after_the_other_is_told():
    """Steps that differ in their clusters would be several releases."""
    steps = [{"type": "canary-deploy"} | share(50, policies=[name]) for name in ("here", "there")]
    with pytest.raises(Refused) as refused:
        read(workflow=steps)

    assert [problem.field for problem in refused.value.problems] == ["spec.workflow.steps[1].properties.policies"]


def test_the_rest_of_an_ingress_and_of_a_route():
    """TLS, the host of a gateway, labels and annotations; headers, domains and a Service of another name."""
    more = {"secretName": "cert", "gatewayHost": "gw", "labels": {"a": "b"}, "annotations": {"c": "d"}}
    gateway = {"type": "gateway", "properties": GATEWAY["properties"] | more}
    header = {"name": "x-beta", "value": "yes"}
    rules = [{"port": 80, "serviceName": "api", "headers": [header], "path": {"type": "Exact", "value": "/v1"}}]
    route = {"type": "http-route", "properties": {"gatewayName": "g", "domains": ["a.example.com"], "rules": rules}}
    _, _, ingress, made = read(gateway, route, kruise(weights(20))).makes
    match = {"path": {"type": "Exact", "value": "/v1"}, "headers": [{"type": "Exact"} | header]}

    assert ingress["metadata"]["annotations"] == {
        "kubernetes.io/ingress.class": "nginx",
        "ingress.controller/host": "gw",
        "c": "d",
    }
    assert ingress["metadata"]["labels"]["a"] == "b"
    assert ingress["spec"]["tls"] == [{"hosts": ["shop.example.com"], "secretName": "cert"}]
    assert made["spec"] == {
        "parentRefs": [{"name": "g", "namespace": "vela-system", "sectionName": "web"}],
        "hostnames": ["a.example.com"],
        "rules": [{"matches": [match], "backendRefs": [{"name": "api", "port": 80}]}],
    }


def test_the_older_words_of_a_component_count():
    """One port, an `expose` with numbers and labels of its own, and names of secrets."""
    expose = {"type": "expose", "properties": {"port": [80], "matchLabels": {"app": "web"}}}
    plan = read(expose, kruise(weights(20)), ports=None, port=80, imagePullSecrets=["mine"])
    pod = plan.makes[0]["spec"]["template"]["spec"]

    assert pod["containers"][0]["ports"] == [{"containerPort": 80}]
    assert pod["imagePullSecrets"] == [{"name": "mine"}]
    assert plan.makes[1]["spec"] == {
        "selector": {"app": "web"},
        "ports": [{"name": "port-80", "port": 80, "targetPort": 80}],
        "type": "ClusterIP",
    }


def test_a_share_of_a_rolling_release_is_a_step():
    """It waits for a person, unless it is all there is; the number of pods may be said instead."""
    rolling = {"type": "rolling-release"}
    plans = [read(rolling | share(20)), read(rolling | share(100))]
    plans += [read(rolling | {"properties": {"replicas": 3, "final": final}}) for final in (False, True)]
    found = [(plan.steps[0].pods, plan.steps[0].gate) for plan in plans]

    assert found == [
        (Amount(20, percent=True), PERSON),
        (Amount(100, percent=True), Gate(0)),
        (Amount(3), PERSON),
        (Amount(3), Gate(0)),
    ]


def test_matches_win_over_a_weight_and_need_a_route():
    """Both are said: that the weight does not count, and that without a route nobody looks at requests."""
    step = {"weight": 20, "matches": [{"headers": [{"name": "x-beta", "value": "yes"}]}]}
    plan = read(GATEWAY, kruise([step], [{}]))
    with pytest.raises(Refused) as refused:
        read(kruise([step]))

    assert plan.steps[0].traffic.weight is None
    assert [remark.severity for remark in plan.remarks] == ["warning"]
    assert [problem.message for problem in refused.value.problems] == [
        "has no route that could look at requests; add trafficRoutings"
    ]


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ({"workflow": {"mode": {"steps": "DAG"}, "steps": [{"type": "canary-deploy"} | share(20)]}}, "mode.steps"),
        ({"workflow": {"steps": [{"type": "canary-deploy", "properties": {}}]}}, "properties.weight"),
        ({"workflow": {"steps": [{"type": "canary-deploy"} | share(20, components=["api"])]}}, "properties.components"),
        ({"components": [{"name": "web", "type": "webservice"}] * 2}, "components[1].name"),
        ({"components": [{"name": "web", "type": "webservice", "properties": {"ports": [{}]}}]}, "ports[0].port"),
        ({"components": [{"name": "web", "type": "webservice", "properties": {"env": [7]}}]}, "containers[0].env[0]"),
        ({"components": [{"name": "web", "type": "k8s-objects", "properties": {"objects": [7]}}]}, "objects[0]"),
        ({"components": [{"name": "web", "type": "k8s-objects"}]}, "properties.objects"),
    ],
)
def test_a_mistake_in_the_whole_is_told(spec, field):
    """Of the workflow, of the components and of the objects in them, in the field where it stands."""
    item = application(*(() if "workflow" in spec else (kruise(weights(20)),)))
    traits = item.value["spec"]["components"][0]["traits"]
    item.value["spec"] |= spec
    item.value["spec"]["components"][0]["traits"] = traits
    dialect = dialects.find(item)
    assert dialect
    with pytest.raises(Refused) as refused:
        dialect.plan(item, Scene(krm.read_files([("shop.yaml", item.text.encode())])))

    assert any(problem.field.endswith(field) for problem in refused.value.problems)


def charted(name: str, **metadata: Any) -> dict[str, Any]:
    """Return a Deployment that Helm rendered."""
    pods = {"metadata": {"labels": {"app": name}}, "spec": {"containers": []}}
    spec = {"selector": {"matchLabels": {"app": name}}, "template": pods}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name} | metadata, "spec": spec}


@pytest.mark.parametrize(
    ("objects", "workload"),
    [
        ([charted("shop"), charted("shop-cache")], "shop"),
        ([charted("shop-web", labels={"app.kubernetes.io/instance": "shop"}), charted("other")], "shop-web"),
        ([charted("shop-web", annotations={"meta.helm.sh/release-name": "shop"}), charted("other")], "shop-web"),
    ],
)
def test_the_workload_of_a_chart_is_found_in_the_package(objects, workload):
    """By the component's name, else as the only one of its release; the Service and the Ingress are called like it."""
    item = application(kruise(weights(20), [{}]))
    item.value["spec"]["components"][0] |= {"name": "shop", "type": "helm", "properties": {"chart": "web"}}
    package = krm.read_files([("app.yaml", yaml.safe_dump_all([*objects, item.value]).encode())])
    dialect = dialects.find(package.items[-1])
    assert dialect
    plan = dialect.plan(package.items[-1], Scene(package))

    assert (plan.workload.name, plan.workload.namespace) == (workload, "")
    assert [pair.stable for pair in plan.services] == [workload]
    assert routes(plan) == [("Ingress", "nginx", workload)]
    assert plan.makes == ()


def test_routes_of_the_gateway_api_are_all_divided():
    """HTTP, HTTPS and TCP lead to one Service; the latter two bring a gateway along."""
    rules = [{"port": 8090}]
    http = {"type": "http-route", "properties": {"gatewayName": "g", "rules": rules}}
    https = {"type": "https-route", "properties": {"domains": ["a.b"], "secrets": [{"name": "cert"}], "rules": rules}}
    tcp = {"type": "tcp-route", "properties": {"rules": [{"port": 8090}, {"port": 8091, "gatewayPort": 9000}]}}
    plan = read(http, https, tcp, {"type": "rolling-release"} | share(20))
    gateways = {one["metadata"]["name"]: one["spec"] for one in plan.makes if one["kind"] == "Gateway"}
    parents = {one["metadata"]["name"]: one["spec"]["parentRefs"] for one in plan.makes if "Route" in one["kind"]}
    secret = {"kind": "Secret", "name": "cert", "namespace": "prod"}
    secured = {"name": "cert", "protocol": "HTTPS", "port": 8443, "tls": {"certificateRefs": [secret]}}

    assert routes(plan) == [
        ("HTTPRoute", "", "web"),
        ("HTTPRoute", "", "web-ssl"),
        ("TCPRoute", "", "tcp-route-8060"),
        ("TCPRoute", "", "tcp-route-9000"),
    ]
    assert gateways["web-gateway-tls"] == {"gatewayClassName": "traefik", "listeners": [secured]}
    assert [listener["port"] for listener in gateways["web-gateway-tcp-9000"]["listeners"]] == [9000]
    assert parents["web-ssl"] == [{"name": "web-gateway-tls", "namespace": "prod", "port": 8443}]
    assert parents["tcp-route-9000"] == [
        {"name": "web-gateway-tcp-9000", "namespace": "prod", "sectionName": "listener-tcp-9000"}
    ]


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of everything that stands in a value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, found in inner:
        yield (*path, key)
        yield from places(found, (*path, key))


@pytest.mark.parametrize("name", ["gateway-routes", "header-match", "k8s-objects", "rollout-with-workflow"])
def test_whatever_stands_anywhere_is_read_or_told(name):
    """Any value in any place gives a plan or an error in words, and never a traceback."""
    written = yaml.safe_load((FIXTURES / "kubevela" / name / "application.yaml").read_bytes())
    for path in places(written["spec"], ("spec",)):
        for value in (None, 7, "x", [], [7], [{}], {"a": 7}):
            changed = copy.deepcopy(written)
            holder = changed
            for key in path[:-1]:
                holder = holder[key]
            holder[path[-1]] = value
            package = krm.read_files([("app.yaml", json.dumps(changed).encode())])
            dialect = dialects.find(package.items[0])
            with contextlib.suppress(KrmfnError):
                assert dialect is None or dialect.plan(package.items[0], Scene(package))


def test_a_place_that_is_read_for_several_ends_is_wrong_once():
    """Names that are needed here and there, and a mapping that is none, are one mistake each."""
    gateway = {"type": "gateway", "properties": GATEWAY["properties"] | {"name": 7, "class": 7}}
    trait = kruise(weights(20), [{}]) | {"properties": {"canary": [7]}}
    with pytest.raises(Refused) as refused:
        read(gateway, trait)

    assert [problem.field for problem in refused.value.problems] == [
        "spec.components[0].traits[0].properties.name",
        "spec.components[0].traits[0].properties.class",
        "spec.components[0].traits[1].properties.canary",
    ]
