"""One intent in every dialect that has words for it: the manifests are the same but for the names it prescribes.

A dialect decides what Services and copies are called, and labels what it makes. Everything else (who runs which
version, how many pods, who selects whom, who gets which requests) is compared at every position of the release.
"""

from itertools import pairwise
from typing import Any

import pytest
import yaml

from krmfn import krm
from krmfn.kinds import LOCAL_CONFIG
from krmfn.stage import timeline
from tests.stories import Files, rendered

IMAGE: dict[str, Any] = {"images": [{"name": "example.com/shop", "newTag": "2.0"}]}
DEPLOYMENT = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "shop"}
PODS = {
    "metadata": {"labels": {"app": "shop"}},
    "spec": {"containers": [{"name": "shop", "image": "example.com/shop:1.0", "ports": [{"containerPort": 8080}]}]},
}
WORKLOAD = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "shop"},
    "spec": {"replicas": 4, "selector": {"matchLabels": {"app": "shop"}}, "template": PODS},
}
INGRESS = {
    "apiVersion": "networking.k8s.io/v1",
    "kind": "Ingress",
    "metadata": {"name": "shop"},
    "spec": {
        "ingressClassName": "nginx",
        "rules": [
            {
                "host": "shop.example.com",
                "http": {
                    "paths": [
                        {
                            "path": "/",
                            "pathType": "Prefix",
                            "backend": {"service": {"name": "shop", "port": {"number": 80}}},
                        }
                    ]
                },
            }
        ],
    },
}
HTTP_ROUTE = {
    "apiVersion": "gateway.networking.k8s.io/v1",
    "kind": "HTTPRoute",
    "metadata": {"name": "shop"},
    "spec": {"parentRefs": [{"name": "front"}], "rules": [{"backendRefs": [{"name": "shop", "port": 80}]}]},
}
FIREFOX = {"headers": [{"name": "user-agent", "type": "Exact", "value": "Firefox"}]}
Steps = list[tuple[int, bool]]


def service(name: str) -> dict[str, Any]:
    """Return a Service of the pods."""
    ports = [{"name": "http", "protocol": "TCP", "port": 80, "targetPort": 8080}]
    spec = {"type": "ClusterIP", "selector": {"app": "shop"}, "ports": ports}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


def virtual_service(*hosts: str) -> dict[str, Any]:
    """Return a route of the mesh that leads to the first host, and has a place for the second."""
    route = [{"destination": {"host": host}, "weight": 0 if index else 100} for index, host in enumerate(hosts)]
    spec = {"hosts": ["shop", "shop.example.com"], "http": [{"name": "main", "route": route}]}
    return {
        "apiVersion": "networking.istio.io/v1",
        "kind": "VirtualService",
        "metadata": {"name": "shop"},
        "spec": spec,
    }


def custom(api_version: str, kind: str, spec: dict[str, Any]) -> dict[str, Any]:
    """Return a rollout called shop."""
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": "shop"}, "spec": spec}


def kruise(route: dict[str, Any], steps: Steps) -> list[dict[str, Any]]:
    """Write it for Kruise, where a step has all pods and either a weight or the header."""
    refs = {
        "Ingress": {"ingress": {"name": "shop"}},
        "HTTPRoute": {"gateway": {"httpRouteName": "shop"}},
        "VirtualService": {
            "customNetworkRefs": [{key: route[key] for key in ("apiVersion", "kind")} | {"name": "shop"}],
        },
    }
    found = [
        {"replicas": "100%"} | ({"matches": [FIREFOX]} if header else {"traffic": f"{weight}%"})
        for weight, header in steps
    ]
    canary = {
        "enableExtraWorkloadForCanary": True,
        "steps": found,
        "trafficRoutings": [{"service": "shop"} | refs[route["kind"]]],
    }
    spec = {"workloadRef": DEPLOYMENT, "strategy": {"canary": canary}}
    return [WORKLOAD, service("shop"), route, custom("rollouts.kruise.io/v1beta1", "Rollout", spec)]


def argo(route: dict[str, Any], steps: Steps) -> list[dict[str, Any]]:
    """Write it for Argo, which scales, sets and pauses, and has a canary Service of the author's."""
    routers = {
        "Ingress": {"nginx": {"stableIngress": "shop"}},
        "HTTPRoute": {
            "managedRoutes": [{"name": "firefox"}],
            "plugins": {"argoproj-labs/gatewayAPI": {"httpRoutes": [{"name": "shop", "useHeaderRoutes": True}]}},
        },
        "VirtualService": {
            "managedRoutes": [{"name": "firefox"}],
            "istio": {"virtualService": {"name": "shop", "routes": ["main"]}},
        },
    }
    found: list[dict[str, Any]] = [{"setCanaryScale": {"replicas": 4}}]
    there = False
    for weight, header in steps:
        if header != there:
            match = {"match": [{"headerName": "user-agent", "headerValue": {"exact": "Firefox"}}]} if header else {}
            found.append({"setHeaderRoute": {"name": "firefox"} | match})
        found += [{"setWeight": weight}, {"pause": {}}]
        there = header
    canary = {
        "stableService": "shop",
        "canaryService": "shop-canary",
        "trafficRouting": routers[route["kind"]],
        "steps": found,
    }
    spec = {"replicas": 4, "workloadRef": DEPLOYMENT, "strategy": {"canary": canary}}
    if route["kind"] == "VirtualService":
        route = virtual_service("shop", "shop-canary")
    rollout = custom("argoproj.io/v1alpha1", "Rollout", spec)
    return [WORKLOAD, service("shop"), service("shop-canary"), route, rollout]


def flagger(route: dict[str, Any], steps: Steps) -> list[dict[str, Any]]:
    """Write it for Flagger, which looks at one header all along or at weights, with all pods."""
    times = {"interval": "1m", "threshold": 5}
    found: dict[str, Any] = {"stepWeights": [weight for weight, _ in steps]}
    if steps[0][1]:
        found = {"iterations": 5, "match": [{"headers": {"user-agent": {"exact": "Firefox"}}}]}
    spec: dict[str, Any] = {
        "targetRef": DEPLOYMENT,
        "service": {"port": 80, "targetPort": 8080},
        "analysis": times | found,
    }
    if route["kind"] == "Ingress":
        spec |= {
            "provider": "nginx",
            "ingressRef": {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "name": "shop"},
        }
        return [WORKLOAD, service("shop"), route, custom("flagger.app/v1beta1", "Canary", spec)]
    spec["service"] |= {"hosts": ["shop.example.com"], "portName": "http"}
    return [WORKLOAD, custom("flagger.app/v1beta1", "Canary", spec)]


def kubevela(route: dict[str, Any], steps: Steps) -> list[dict[str, Any]]:
    """Write it for KubeVela, whose component has the objects in it."""
    found = [
        {"replicas": "100%"} | ({"matches": [FIREFOX]} if header else {"weight": weight}) for weight, header in steps
    ]
    routing = {"type": {"Ingress": "ingress", "HTTPRoute": "gateway"}[route["kind"]]}
    trait = {"type": "kruise-rollout", "properties": {"canary": {"steps": found, "trafficRoutings": [routing]}}}
    objects = [WORKLOAD, service("shop"), route]
    component = {"name": "shop", "type": "k8s-objects", "properties": {"objects": objects}, "traits": [trait]}
    return [custom("core.oam.dev/v1beta1", "Application", {"components": [component]})]


NGINX, HEADER_FIRST = [(20, False), (50, False), (100, False)], [(0, True), (50, False), (100, False)]
MESH = virtual_service("shop")
INTENTS = [
    pytest.param(INGRESS, NGINX, (kruise, argo, flagger, kubevela), id="weights on an Ingress"),
    pytest.param(INGRESS, [(0, True)], (kruise, flagger, kubevela), id="a header on an Ingress"),
    pytest.param(MESH, HEADER_FIRST, (kruise, argo), id="a header, then weights in a mesh"),
    pytest.param(MESH, NGINX, (kruise, argo, flagger), id="weights in a mesh"),
    pytest.param(MESH, [(0, True)], (kruise, argo, flagger), id="a header in a mesh"),
    pytest.param(HTTP_ROUTE, HEADER_FIRST, (kruise, argo, kubevela), id="a header, then weights at a gateway"),
    pytest.param(HTTP_ROUTE, NGINX, (kruise, argo, kubevela), id="weights at a gateway"),
]


def files(objects: list[dict[str, Any]]) -> Files:
    """Return a package of one file."""
    return {"app.yaml": yaml.safe_dump_all(objects, sort_keys=False).encode()}


def strip(position: str, package: Files) -> dict[str, Any]:
    """Return what is applied at a position, by kind and side, without what belongs to one dialect alone."""
    after, outcome = rendered(package, {"step": position, "target": IMAGE})
    assert not outcome.failed, [result.line() for result in outcome.results]
    found: dict[str, Any] = {}
    traffic = outcome.views[0].stage.traffic
    # A Service that nobody is sent to leads where the dialect has it, and may not be there at all.
    idle = () if traffic and traffic.reaches else ("shop-canary",)
    for item in krm.read_files(after.items()).items:
        metadata = item.value["metadata"]
        local = metadata.get("annotations", {}).get(LOCAL_CONFIG) == "true"
        if local or item.ref.kind == "DestinationRule" or item.ref.name == "shop-primary":
            continue
        if item.ref.kind == "Service" and item.ref.name in idle:
            continue
        found[f"{item.ref.kind} {item.ref.name.replace('shop-shop', 'shop')}"] = meaning(item.ref.kind, item.value)
    return found


def meaning(kind: str, manifest: dict[str, Any]) -> Any:
    """Return what an object does: its spec, and the annotations by which an Ingress divides."""
    spec = manifest["spec"]
    if kind == "Service":
        return {"selector": spec["selector"], "ports": spec["ports"]}
    if kind == "Ingress":
        return spec, manifest["metadata"].get("annotations")
    if kind == "VirtualService":
        return [rule(entry) for entry in spec["http"]]
    return spec


def rule(entry: dict[str, Any]) -> dict[str, Any]:
    """Return a rule of the mesh without its name, with the sides in one order and without one that gets nothing."""
    route = [
        ("shop" if one["destination"]["host"] == "shop-primary" else one["destination"]["host"], one.get("weight", 100))
        for one in entry["route"]
    ]
    return {"match": entry.get("match"), "route": sorted(side for side in route if side[1])}


@pytest.mark.parametrize(("route", "steps", "writers"), INTENTS)
def test_one_intent_gives_the_same_manifests_in_every_dialect(route, steps, writers):
    """At every position of the release, from the first step to the last."""
    packages = {writer.__name__: files(writer(route, steps)) for writer in writers}
    _, outcome = rendered(packages["kruise"], {"step": "0", "target": IMAGE})
    positions = [str(position) for position in timeline(outcome.views[0].plan, 4)]
    assert positions[-4:] == [str(len(steps)), "promote", "finalise", "complete"]
    for position in positions:
        found = {name: strip(position, package) for name, package in packages.items()}
        for (one, here), (other, there) in pairwise(found.items()):
            assert here == there, f"{one} and {other} at {position}"
