"""What Flagger makes for Istio: a VirtualService for the apex Service, and a DestinationRule for each side."""

from krmfn.dialects.flagger.reader import texts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from krmfn.dialects.flagger.reader import Reader
    from krmfn.krm.item import Manifest

API_VERSION = "networking.istio.io/v1beta1"
MESH = "mesh"


def mesh(reader: "Reader") -> "Iterator[Manifest]":
    """Yield them."""
    policy = reader.written("trafficPolicy")
    for name, side in ((reader.primary, "primary"), (reader.canary, "canary")):
        metadata = {key: value for key, value in reader.metadata(name, side).items() if key in ("name", "namespace")}
        yield {
            "apiVersion": API_VERSION,
            "kind": "DestinationRule",
            "metadata": metadata,
            "spec": {"host": name} | policy,
        }
    yield {
        "apiVersion": API_VERSION,
        "kind": "VirtualService",
        "metadata": reader.metadata(reader.apex),
        "spec": _reached(reader) | _rules(reader),
    }


def _reached(reader: "Reader") -> "Manifest":
    """Return who reaches the rules: hosts at gateways, or another VirtualService that delegates to this one."""
    place = reader.service
    if place.flag("delegation"):
        for key in ("hosts", "gateways"):
            if place.has(key):
                place.at(key).problem("stands beside delegation: who is delegated to has neither hosts nor gateways")
        return {}
    hosts = texts(place, "hosts")
    if reader.apex not in hosts and "*" not in hosts:
        hosts.append(reader.apex)
    return {"gateways": texts(place, "gateways") or [MESH], "hosts": hosts}


def _rules(reader: "Reader") -> "Manifest":
    sides = [_destination(reader, reader.primary, 100), _destination(reader, reader.canary, 0)]
    if reader.service.text("appProtocol").lower() == "tcp":
        return {"tcp": [{"match": [{"port": reader.port}], "route": sides}]}
    rule = reader.written("match", "rewrite", "timeout", "retries", "corsPolicy", "headers")
    if reader.service.has("rewrite"):
        rewrite = reader.service.mapping("rewrite")
        rule["rewrite"] = {key: rewrite.at(key).value for key in rewrite.names() if key != "type"}
    return {"http": [rule | {"route": sides}]}


def _destination(reader: "Reader", host: str, weight: int) -> "Manifest":
    place = reader.service
    gateways = texts(place, "gateways") or [MESH]
    found: Manifest = {"host": host}
    # A Service with several ports needs to be told which one, wherever the request does not say it.
    if place.flag("portDiscovery") and (place.flag("delegation") or gateways[0] != MESH):
        found["port"] = {"number": reader.port}
    return {"destination": found, "weight": weight}
