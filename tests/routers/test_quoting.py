"""What a step asks for is a text, whatever is in it: no value means something else where a provider writes it."""

from collections.abc import Callable
from typing import Any

import pytest

from krmfn.errors import KrmfnError
from krmfn.lua import find, render
from krmfn.lua.cases import full
from tests.routers import alb, apisix, contour, emissary, gateway, gloo, ingress, kuma, skipper, virtualserver
from tests.routers.meaning import Request
from tests.routers.plans import Manifest

Router = Callable[[Manifest, list[Manifest], Request], Any]

PATH = {"path": "/", "pathType": "Prefix", "backend": {"service": {"name": "web", "port": {"number": 80}}}}
KUBE = {"single": {"kube": {"ref": {"name": "web", "namespace": "demo"}, "port": 80}}}
SPECS: dict[str, tuple[Manifest, Router]] = {
    "apisix.apache.org/v2 ApisixRoute": (
        {"http": [{"name": "w", "match": {"paths": ["/*"]}, "backends": [{"serviceName": "web", "servicePort": 80}]}]},
        lambda _, made, request: apisix.route(made[0], request),
    ),
    "projectcontour.io/v1 HTTPProxy": (
        {"virtualhost": {"fqdn": "a"}, "routes": [{"services": [{"name": "web", "port": 80}]}]},
        lambda _, made, request: contour.route(made[0], request),
    ),
    "getambassador.io/v3alpha1 Mapping": (
        {"prefix": "/", "service": "web"},
        lambda base, made, request: emissary.route([base, *made], request),
    ),
    "gateway.networking.k8s.io/v1 HTTPRoute": (
        {"rules": [{"backendRefs": [{"name": "web", "port": 80}]}]},
        lambda _, made, request: gateway.route(made[0], request),
    ),
    "gateway.solo.io/v1 RouteTable": (
        {"routes": [{"matchers": [{"prefix": "/"}], "routeAction": KUBE}]},
        lambda _, made, request: gloo.route(made[0], request),
    ),
    "k8s.nginx.org/v1 VirtualServer": (
        {
            "upstreams": [{"name": "web", "service": "web", "port": 80}],
            "routes": [{"path": "/", "action": {"pass": "web"}}],
        },
        lambda _, made, request: virtualserver.route(made[0], request),
    ),
    "kuma.io/v1alpha1 TrafficRoute": (
        {"conf": {"destination": {"kuma.io/service": "web_demo_svc_80"}}},
        lambda _, made, request: kuma.traffic_route(made[0], request),
    ),
    "networking.k8s.io/v1 Ingress alb": (
        {"rules": [{"http": {"paths": [PATH]}}]},
        lambda _, made, request: alb.route(made[0], request),
    ),
    "networking.k8s.io/v1 Ingress skipper": (
        {"rules": [{"http": {"paths": [PATH]}}]},
        lambda _, made, request: skipper.route(made, request),
    ),
} | {
    f"networking.k8s.io/v1 Ingress {name}": (
        {"ingressClassName": name, "rules": [{"http": {"paths": [PATH]}}]},
        lambda base, made, request, name=name: ingress.route(name, [base, *made], request),
    )
    for name in ("nginx", "higress", "mse", "aliyun-alb")
}

VALUES = (
    *(
        "a.b",
        "a|b",
        "a+b",
        "a*b",
        "a?b",
        "(a",
        "a)",
        "[a]",
        "a{2}",
        "^a",
        "a$",
        "$a",
        "%1",
        "%a",
        "a%%b",
        "a\\b",
        "a\\",
    ),
    *('a"b', "a'b", "a b", "a,b", "a;b", "a=b", "a&b", "a#b", ".*", "zoë", "always", "true", "${x}", "\\Qa\\E", "~a"),
    *('") || True("', 'a" && Path("/x', '"}]', "a\tb"),
)
# What a value could be taken for.
NEIGHBOURS = ("a", "b", "aa", "ab", "aab", "aXb", "x", "", "1", "${x}", "axb")
PLACES = {
    "headers": ("header", "headers"),
    "queryParams": ("query", "query"),
    "cookies": ("cookie", "cookies"),
}


@pytest.mark.parametrize("part", PLACES)
@pytest.mark.parametrize("name", sorted(SPECS))
def test_a_value_means_itself(name: str, part: str) -> None:
    """Requests with exactly that value go to the canary and those with another do not, or the value is refused."""
    (api, kind, *variant), (spec, route) = name.split(), SPECS[name]
    script = find(api.partition("/")[0], kind, *variant)
    assert script is not None
    word, attribute = PLACES[part]
    if f"{word}.exact" not in script.supports:
        return
    base = {"apiVersion": api, "kind": kind, "metadata": {"name": "web", "namespace": "demo"}, "spec": spec}
    for value in VALUES:
        asked = {part: [{"name": "x", "type": "Exact", "value": value}]}
        stage = {"name": "web-canary", "stableService": "web", "canaryService": "web-canary", "matches": [asked]}
        try:
            made = render(script, base, full(stage))
        except KrmfnError:
            continue
        for sent in (value, value + "x", "x" + value, *NEIGHBOURS):
            request = Request(**{attribute: {"x": sent}})
            found = {arrival for arrival, share in route(base, made, request).items() if share}
            assert {"web-canary" in repr(one) for one in found} == {sent == value}, (value, sent)
