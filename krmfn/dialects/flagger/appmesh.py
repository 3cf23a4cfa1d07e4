"""What Flagger makes for App Mesh: a VirtualNode for each side, and a VirtualRouter that divides between them.

A node is reached by the name of its side's Service, at the port of its listener; whose pods it has counts when a pod
starts, and App Mesh starts none that two nodes select. So at rest the canary's selects nobody.
"""

import re

from krmfn.dialects.flagger.proxies import prefix
from krmfn.dialects.flagger.reader import texts
from krmfn.dialects.flagger.services import listening
from krmfn.errors import KrmfnError
from krmfn.fields import Fields
from krmfn.isolation import labels, short
from krmfn.selectors import matches

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from krmfn.dialects.flagger.reader import Reader
    from krmfn.krm.item import Manifest

GROUP = "appmesh.k8s.aws"
API_VERSION = f"{GROUP}/v1beta2"
GATEWAY = "gateway.appmesh.k8s.aws"
ARN, GRPC = "arn:aws", "grpc"
# Where analysis looks at requests: the route of all others, and its place behind them.
OTHERS, LAST = "b", 20
_PART = re.compile(r"([0-9]*\.?[0-9]+)(ns|us|ms|s|m|h)")
_MILLISECONDS = {"ns": 1e-6, "us": 1e-3, "ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000}
# How long one attempt may take, and what is tried again, where nobody says.
PATIENCE, GATEWAY_ERROR = 250, "gateway-error"
EVENTS = {
    "httpRetryEvents": ("client-error", GATEWAY_ERROR, "server-error", "stream-error"),
    "tcpRetryEvents": ("connection-error",),
    "grpcRetryEvents": ("cancelled", "deadline-exceeded", "internal", "resource-exhausted", "unavailable"),
}


def app_mesh(reader: "Reader") -> "Iterator[Manifest]":
    """Yield them, and a VirtualService for each of the apex and the canary. Notes what cannot work as a problem."""
    _check(reader)
    listener = {"portMapping": {"port": reader.port, "protocol": _protocol(reader)}}
    timeout = _timeout(reader)
    node = {"listeners": [listener | ({"timeout": {_protocol(reader): timeout}} if timeout else {})]}
    backends = [{"virtualService": _backend(backend)} for backend in texts(reader.service, "backends")]
    for name, value in ((reader.primary, reader.value), (reader.canary, short(f"{reader.value}-canary"))):
        found: Manifest = {"serviceDiscovery": {"dns": {"hostname": f"{name}.{reader.namespace}.svc.cluster.local."}}}
        found |= {"backends": backends} if backends else {}
        yield _made(reader, "VirtualNode", name, {"podSelector": {"matchLabels": {reader.label: value}}} | node | found)
    way = _way(reader, timeout)
    for name, weight, annotations in ((reader.apex, 0, _exposed(reader)), (reader.canary, 100, {})):
        spec = {"listeners": [listener], "routes": [_route(reader, way, weight)]}
        yield _made(reader, "VirtualRouter", name, spec)
        provider = {"virtualRouter": {"virtualRouterRef": {"name": name}}}
        yield _made(reader, "VirtualService", name, {"provider": provider}, annotations)


def _made(
    reader: "Reader", kind: str, name: str, spec: "Manifest", annotations: dict[str, str] | None = None
) -> "Manifest":
    metadata: Manifest = {"name": name} | ({"namespace": reader.namespace} if reader.namespace else {})
    metadata |= {"annotations": annotations} if annotations else {}
    return {"apiVersion": API_VERSION, "kind": kind, "metadata": metadata, "spec": spec}


def _check(reader: "Reader") -> None:
    if not reader.namespace:
        message = f"is required: with the provider {reader.provider} it is part of the names that nodes are reached by"
        reader.top.mapping("metadata").at("namespace").problem(message)
    target = reader.service.at("targetPort")
    named = {port.get("name"): port.get("containerPort") for _, _, port in listening(reader)}
    number = named.get(target.value) if isinstance(target.value, str) else target.value
    if number not in (None, 0, reader.port):
        found = f"{target.value}, which is port {number}" if number != target.value else number
        message = "App Mesh calls a Service at the port that its pods listen at; give port the same number"
        target.problem(f"is {found}, and {message}")
    _check_alone(reader)
    message = (
        "reaches pods by their Services; the proxy inside a pod belongs to the VirtualNode that selects it when it"
    )
    message += f" starts, so restart pods of {reader.workload} that are older than {reader.primary}, once"
    reader.remark(reader.spec.at("provider"), message)


def _check_alone(reader: "Reader") -> None:
    """Refuse another node with the same pods, for then none of them would start."""
    pods = labels(((reader.item.value if reader.item else {}).get("spec") or {}).get("template") or {})
    for item in reader.scene.of_kind(GROUP, "VirtualNode"):
        selector = Fields(item.value).mapping("spec").mapping("podSelector")
        match = selector.labels("matchLabels")
        other = item.ref.key in reader.scene.made or item.ref.namespace != reader.namespace
        if match and not other and not selector.has("matchExpressions") and matches(match, pods):
            message = f"selects the pods of {reader.workload}, as {reader.primary} does, and App Mesh starts no pod "
            message += "that two VirtualNodes select; remove this one"
            reader.top.problems.append(KrmfnError(message, ref=item.ref, field=selector.path, file=item.path))


def _protocol(reader: "Reader") -> str:
    return GRPC if GRPC in reader.service.text("portName") else "http"


def _backend(name: str) -> "Manifest":
    return {"virtualServiceARN": name} if name.startswith(ARN) else {"virtualServiceRef": {"name": name}}


def _way(reader: "Reader", timeout: "Manifest") -> "Manifest":
    """Return what all routes have in common: which requests, for how long, and how often."""
    found = {"match": _match(reader), "timeout": timeout, "retryPolicy": _retries(reader)}
    return {key: value for key, value in found.items() if value or key == "match"}


def _route(reader: "Reader", way: "Manifest", weight: int) -> "Manifest":
    """Return the route of a router: the one that all requests go by, unless analysis looks at some of them."""
    looks = not weight and bool(reader.analysis.at("match").value)
    sides = ((reader.primary, 100),) if looks else ((reader.canary, weight), (reader.primary, 100 - weight))
    targets = [{"virtualNodeRef": {"name": name}, "weight": share} for name, share in sides]
    name = reader.canary if weight else reader.apex
    named = {"name": f"{name}-{OTHERS}", "priority": LAST} if looks else {"name": name}
    return named | {f"{_protocol(reader)}Route": way | {"action": {"weightedTargets": targets}}}


def _match(reader: "Reader") -> "Manifest":
    found = prefix(reader, "a VirtualRouter")
    if _protocol(reader) != GRPC:
        return {"prefix": found}
    if found != "/":
        reader.service.at("match").problem("asks for a path, which calls do not have; leave it out")
    return {}


def _timeout(reader: "Reader") -> "Manifest":
    time = _milliseconds(reader.service, "timeout")
    return {} if time is None else {"perRequest": {"unit": "ms", "value": time}}


def _milliseconds(place: Fields, key: str) -> int | None:
    text = place.text(key)
    if not text:
        return None
    parts = _PART.findall(text)
    if "".join(number + unit for number, unit in parts) != text:
        place.at(key).problem(f"{text!r} is no duration; write a number and a unit, such as 15s or 250ms")
    return round(sum(float(number) * _MILLISECONDS[unit] for number, unit in parts))


def _retries(reader: "Reader") -> "Manifest":
    place = reader.service.mapping("retries")
    if not place:
        return {}
    time = _milliseconds(place, "perTryTimeout")
    known = {kind: EVENTS[kind] for kind in EVENTS if kind != "grpcRetryEvents" or _protocol(reader) == GRPC}
    found: Manifest = {}
    for event in (place.text("retryOn") or GATEWAY_ERROR).split(","):
        kinds = [kind for kind, events in known.items() if event in events]
        if not kinds:
            words = ", ".join(word for events in known.values() for word in events)
            place.at("retryOn").problem(f"{event!r} is not what App Mesh tries again; it knows {words}")
        for kind in kinds:
            found.setdefault(kind, []).append(event)
    whole = {"maxRetries": place.whole("attempts") or 1, "perRetryTimeout": {"unit": "ms", "value": time or PATIENCE}}
    return found | whole


def _exposed(reader: "Reader") -> dict[str, str]:
    """Return what makes the gateway of the mesh serve the author's hosts."""
    place = reader.service
    if not (hosts := texts(place, "hosts")):
        return {}
    wanted = {"timeout": place.at("timeout").value, "retries": place.mapping("retries").at("attempts").value}
    found = {"expose": "true", "domain": ",".join(hosts)} | {key: str(value) for key, value in wanted.items() if value}
    return {f"{GATEWAY}/{key}": value for key, value in found.items()}
