"""Generated routes: one row for each kind that a Kruise Rollout can name, and what a step may ask of it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from krmfn import lua

Manifest = dict[str, Any]
Metadata = dict[str, str]
Strategy = st.SearchStrategy[Any]

ISTIO = "networking.istio.io"
GATEWAY = "gateway.networking.k8s.io"
REGEX = {"type": "RegularExpression"}
# What a step can ask, by the word that a provider has for it.
ASKED: dict[str, Manifest] = {
    "header.exact": {"headers": [{"name": "x-user", "value": "beta"}]},
    "header.regex": {"headers": [{"name": "x-user", "value": "beta.*"} | REGEX]},
    "cookie.exact": {"headers": [{"name": "canary-by-cookie", "value": "beta", "type": "Exact"}]},
    "query.exact": {"queryParams": [{"name": "who", "value": "beta"}]},
    "query.regex": {"queryParams": [{"name": "who", "value": "beta.*"} | REGEX]},
    "path.exact": {"path": {"type": "Exact", "value": "/beta"}},
    "path.prefix": {"path": {"value": "/beta"}},
}
MANY = [{"headers": [{"name": "x-user", "value": value}]} for value in ("beta", "gamma")]
BOTH = {"headers": [{"name": "x-user", "value": "beta"}, {"name": "x-team", "value": "red", "type": "Exact"}]}
MODIFIER = {"set": [{"name": "x-canary", "value": "yes"}]}


@dataclass(frozen=True)
class Router:
    """One kind of route: under which member a Rollout names it, and its manifest for some metadata and a Service."""

    member: str
    versions: tuple[str, ...]
    kind: str
    made: Callable[[Metadata, str, str], Strategy]
    variant: str = ""
    subsets: bool = False

    @property
    def supports(self) -> frozenset[str]:
        """What its provider says that it can express."""
        script = lua.find(self.versions[0].rpartition("/")[0], self.kind, self.variant)
        assert script
        return script.supports

    @property
    def place(self) -> tuple[str, str]:
        """Where a Rollout names it: of two routes in one place it can have but one."""
        return (self.member, "" if self.member == "ingress" else self.kind)


def named(router: Router, manifest: Manifest) -> Manifest:
    """Return the member of a routing by which a route is found."""
    name = manifest["metadata"]["name"]
    if router.member == "ingress":
        return {"ingress": {"classType": router.variant, "name": name}}
    if router.member == "gateway":
        return {"gateway": {"httpRouteName": name}}
    ref = {"apiVersion": manifest["apiVersion"], "kind": router.kind, "name": name}
    return {"customNetworkRefs": [ref]}


def routing(service: str, routes: list[tuple[Router, Manifest]]) -> Manifest:
    """Return an entry of ``trafficRoutings``."""
    entry: Manifest = {"service": service}
    for router, manifest in routes:
        for member, value in named(router, manifest).items():
            entry[member] = [*entry.get(member, []), *value] if isinstance(value, list) else value
    return entry


def rules(supports: frozenset[str]) -> Strategy:
    """Draw what a step may ask of routes that can all express some words: a weight (of a step), or matches."""
    alone = [[ASKED[word]] for word in sorted(ASKED.keys() & supports)]
    more = [MANY] if "matches.many" in supports else []
    more += [[BOTH]] if "conditions.many" in supports else []
    weights = st.integers(1, 100).map(lambda weight: {"weight": weight})
    matches = st.sampled_from([*alone, *more]).map(lambda found: {"matches": found}) if alone else weights
    modifier = st.sampled_from(({}, {"requestHeaderModifier": MODIFIER}) if "headerModifier" in supports else ({},))
    return st.builds(lambda rule, changed: rule | changed, st.one_of(weights, weights, matches), modifier)


# The manifests.


@st.composite
def _ingress(draw: st.DrawFn, meta: Metadata, service: str, api_version: str) -> Manifest:
    def rule(host: str, name: str) -> Manifest:
        backend = {"service": {"name": name, "port": {"number": 80}}}
        return {"host": host, "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}

    others = draw(st.lists(st.sampled_from(("docs", "blog")), unique=True))
    found = draw(st.permutations([rule("www", service), *(rule(f"{other}.www", other) for other in others)]))
    annotations = draw(st.sampled_from(({}, {"annotations": {"nginx.ingress.kubernetes.io/proxy-body-size": "8m"}})))
    spec = {"ingressClassName": "web", "rules": list(found)}
    return {"apiVersion": api_version, "kind": "Ingress", "metadata": dict(meta) | annotations, "spec": spec}


@st.composite
def _http_route(draw: st.DrawFn, meta: Metadata, service: str, api_version: str) -> Manifest:
    def rule(path: str, *names: str) -> Manifest:
        return {
            "matches": [{"path": {"type": "PathPrefix", "value": path}}],
            "backendRefs": [{"name": name, "port": 80} | weight for name in names],
        } | draw(st.sampled_from(({}, {"timeouts": {"request": "3s"}})))

    weight: Manifest = draw(st.sampled_from(({}, {"weight": 3})))
    names = draw(st.sampled_from(((service,), (service, "other"))))
    others = draw(st.lists(st.sampled_from((("/docs", "docs"), ("/shop", service))), unique=True))
    found = draw(st.permutations([rule("/", *names), *(rule(path, name) for path, name in others)]))
    spec = {"parentRefs": [{"name": "gateway"}], "rules": list(found)}
    return {"apiVersion": api_version, "kind": "HTTPRoute", "metadata": dict(meta), "spec": spec}


@st.composite
def _grpc_route(draw: st.DrawFn, meta: Metadata, service: str, api_version: str) -> Manifest:
    methods = draw(st.lists(st.sampled_from(("Cart", "Order")), min_size=1, unique=True))
    found = [
        {"matches": [{"method": {"service": f"shop.{method}"}}], "backendRefs": [{"name": service, "port": 80}]}
        for method in methods
    ]
    spec = {"parentRefs": [{"name": "gateway"}], "rules": found}
    return {"apiVersion": api_version, "kind": "GRPCRoute", "metadata": dict(meta), "spec": spec}


def _host(meta: Metadata, service: str) -> Strategy:
    place = meta.get("namespace")
    return st.sampled_from((service, f"{service}.{place}.svc.cluster.local") if place else (service,))


@st.composite
def _virtual_service(draw: st.DrawFn, meta: Metadata, service: str, api_version: str, *, subset: str = "") -> Manifest:
    host = draw(_host(meta, service))
    own = {"destination": {"host": host} | ({"subset": subset} if subset else {})}
    divided = [[own], [own | {"weight": 75}, {"destination": {"host": "other"}, "weight": 25}]]
    last = {"route": draw(st.sampled_from(divided))} | draw(st.sampled_from(({}, {"timeout": "3s"})))
    first = {"match": [{"uri": {"prefix": "/docs"}}], "route": [{"destination": {"host": "docs"}}]}
    found = draw(st.sampled_from(([last], [first, last], [{"match": [{"uri": {"prefix": "/shop"}}]} | last, last])))
    tcp = {"tcp": [{"match": [{"port": 9000}], "route": [own]}]}
    tls = {"tls": [{"match": [{"port": 443, "sniHosts": ["www"]}], "route": [own]}]}
    spec = {"hosts": ["www"], "http": found} | draw(st.sampled_from(({}, tcp, tls, tcp | tls)))
    return {"apiVersion": api_version, "kind": "VirtualService", "metadata": dict(meta), "spec": spec}


@st.composite
def _destination_rule(draw: st.DrawFn, meta: Metadata, service: str, api_version: str) -> Manifest:
    policy = draw(st.sampled_from(({}, {"trafficPolicy": {"tls": {"mode": "ISTIO_MUTUAL"}}})))
    spec = {"host": draw(_host(meta, service))} | policy
    return {"apiVersion": api_version, "kind": "DestinationRule", "metadata": dict(meta), "spec": spec}


@st.composite
def _subsets(draw: st.DrawFn, meta: Metadata, service: str, api_version: str) -> Manifest:
    made: Manifest = draw(_destination_rule(meta, service, api_version))
    policy = draw(st.sampled_from(({}, {"trafficPolicy": {"connectionPool": {"tcp": {"maxConnections": 9}}}})))
    made["spec"]["subsets"] = [{"name": "base", "labels": {"tier": "base"}} | policy]
    return made


@st.composite
def _subset_ingress(draw: st.DrawFn, meta: Metadata, service: str, api_version: str) -> Manifest:
    made: Manifest = draw(_ingress(meta, service, api_version))
    annotations = made["metadata"].get("annotations", {}) | {"mse.ingress.kubernetes.io/service-subset": "base"}
    return made | {"metadata": made["metadata"] | {"annotations": annotations}}


def _based(meta: Metadata, service: str, api_version: str) -> Strategy:
    return _virtual_service(meta, service, api_version, subset="base")


NETWORKING = ("networking.k8s.io/v1",)
MESH = tuple(f"{ISTIO}/{version}" for version in ("v1", "v1beta1", "v1alpha3"))
CLASSES = ("nginx", "aliyun-alb", "higress", "mse")
ROUTERS = (
    *(Router("ingress", NETWORKING, "Ingress", _ingress, variant) for variant in CLASSES),
    Router("gateway", (f"{GATEWAY}/v1", f"{GATEWAY}/v1beta1"), "HTTPRoute", _http_route),
    Router("customNetworkRefs", (f"{GATEWAY}/v1", f"{GATEWAY}/v1alpha2"), "GRPCRoute", _grpc_route),
    Router("customNetworkRefs", MESH, "VirtualService", _virtual_service),
    Router("customNetworkRefs", MESH, "DestinationRule", _destination_rule),
)
MESHED = (
    Router("customNetworkRefs", MESH, "VirtualService", _based, subsets=True),
    Router("customNetworkRefs", MESH, "DestinationRule", _subsets, subsets=True),
)
GRAY = (Router("ingress", NETWORKING, "Ingress", _subset_ingress, "mse", subsets=True),)


@st.composite
def routers(draw: st.DrawFn, *, subsets: bool) -> tuple[Router, ...]:
    """Draw the routes of a rollout: one or several, which tell the sides apart by Services or by subsets."""
    if subsets:
        return tuple(draw(st.sampled_from((MESHED, MESHED, GRAY, (*MESHED, *GRAY)))))
    some = st.lists(st.sampled_from(ROUTERS), min_size=1, max_size=3, unique_by=lambda router: router.place)
    return tuple(draw(st.one_of(st.sampled_from(ROUTERS).map(lambda router: [router]), some)))


@st.composite
def route(draw: st.DrawFn, router: Router, meta: Metadata, service: str) -> Manifest:
    """Draw the manifest of a route, in any version of its API."""
    made: Manifest = draw(router.made(meta, service, draw(st.sampled_from(router.versions))))
    return made
