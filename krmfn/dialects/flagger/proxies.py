"""What Flagger makes for Contour, Gloo and Traefik: an object called like the apex Service, with both sides in it."""

from krmfn.fields import Fields
from krmfn.krm.item import Ref
from krmfn.results import WARNING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from krmfn.dialects.flagger.reader import Reader
    from krmfn.krm.item import Manifest

IDLE = "5m"
# What says where an Upstream leads, and what its controller writes; the rest says how.
WHERE = ("aws", "awsEc2", "azure", "consul", "discoveryMetadata", "gcp", "kube", "namespacedStatuses", "pipe", "static")


def traefik_service(reader: "Reader") -> "Iterator[Manifest]":
    """Yield the TraefikService, at rest without the canary."""
    place = {"namespace": reader.namespace} if reader.namespace else {}
    primary = {"name": reader.primary} | place | {"port": reader.port, "weight": 100}
    yield _made(reader, "traefik.io/v1alpha1", "TraefikService", {"weighted": {"services": [primary]}})


def http_proxy(reader: "Reader") -> "Iterator[Manifest]":
    """Yield the HTTPProxy: it has no host, and is for another one to include."""
    place, path = reader.service, prefix(reader, "an HTTPProxy")
    route: Manifest = {"conditions": [{"prefix": path}]}
    if place.has("timeout"):
        route["timeoutPolicy"] = {"response": place.text("timeout"), "idle": IDLE}
    if retries := place.mapping("retries"):
        wanted = {"count": retries.whole("attempts"), "perTryTimeout": retries.text("perTryTimeout")}
        route["retryPolicy"] = {key: value for key, value in wanted.items() if value}
        _unused(reader, retries.at("retryOn"))
    if rewrite := place.mapping("rewrite"):
        route["pathRewritePolicy"] = {"replacePrefix": [{"prefix": path, "replacement": rewrite.text("uri", "/")}]}
        _unused(reader, rewrite.at("authority"))
    route["services"] = [_contour(reader, reader.primary, 100), _contour(reader, reader.canary, 0)]
    yield _made(reader, "projectcontour.io/v1", "HTTPProxy", {"routes": [route]})


def route_table(reader: "Reader") -> "Iterator[Manifest]":
    """Yield the RouteTable, and an Upstream for each side."""
    shared = _upstream(reader)
    sides = {}
    for name, weight in ((reader.primary, 100), (reader.canary, 0)):
        upstream = f"{reader.namespace}-{name}upstream-{reader.port}"
        metadata = {"name": upstream, "namespace": reader.namespace}
        kube = {"serviceName": name, "serviceNamespace": reader.namespace, "servicePort": reader.port}
        sides[upstream] = weight
        spec = {"kube": kube} | shared
        yield {"apiVersion": "gloo.solo.io/v1", "kind": "Upstream", "metadata": metadata, "spec": spec}
    destinations = [
        {"destination": {"upstream": {"name": name, "namespace": reader.namespace}}, "weight": weight}
        for name, weight in sides.items()
    ]
    route = {
        "inheritablePathMatchers": True,
        "matchers": [],
        "routeAction": {"multi": {"destinations": destinations}},
    }
    yield _made(reader, "gateway.solo.io/v1", "RouteTable", {"routes": [route]})
    if not reader.namespace:
        message = f"is required: with the provider {reader.provider} it is part of the names of Upstreams"
        reader.top.mapping("metadata").at("namespace").problem(message)


def _made(reader: "Reader", api_version: str, kind: str, spec: "Manifest") -> "Manifest":
    return {"apiVersion": api_version, "kind": kind, "metadata": reader.metadata(reader.apex), "spec": spec}


def _unused(reader: "Reader", place: Fields) -> None:
    if place.value is not None:
        reader.remark(place, f"is not used by the provider {reader.provider}", WARNING)


def prefix(reader: "Reader", kind: str) -> str:
    """Return the path that is divided: the only thing that Flagger asks of a request to Contour or to App Mesh."""
    found = list(reader.service.sequence("match"))
    for entry in found[1:]:
        entry.problem(f"is a second one, and {kind} is made of the first; write one")
    for entry in found[:1]:
        for key in entry.names():
            if key != "uri" or not entry.mapping("uri").has("prefix"):
                entry.at(key).problem(f"is not what {kind} is made of; use uri.prefix")
        return entry.mapping("uri").text("prefix", "/")
    return "/"


def _contour(reader: "Reader", name: str, weight: int) -> "Manifest":
    found: Manifest = {"name": name, "port": reader.port, "weight": weight}
    if reader.namespace:
        address = f"{name}.{reader.namespace}.svc.cluster.local:{reader.port}"
        found["requestHeadersPolicy"] = {"set": [{"name": "l5d-dst-override", "value": address}]}
    return found


def _upstream(reader: "Reader") -> "Manifest":
    """Return what both Upstreams share with the one that the author names."""
    place = reader.spec.mapping("upstreamRef")
    if not place:
        return {}
    name, namespace = place.text("name", required=True), place.text("namespace", reader.namespace)
    ref = Ref("gloo.solo.io/v1", "Upstream", namespace, name)
    item = reader.scene.lookup(ref)
    if item is None:
        place.at("name").problem(f"names {ref}, which is not in the package")
        return {}
    spec = Fields(item.value, item.ref).mapping("spec")
    return {key: spec.at(key).value for key in spec.names() if key not in WHERE}
