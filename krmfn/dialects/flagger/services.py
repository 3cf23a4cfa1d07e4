"""The Services of a Canary: the apex and the primary lead to the stable side, the third one to the canary."""

from krmfn.fields import Fields
from krmfn.krm.item import Ref

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from krmfn.dialects.flagger.reader import Reader
    from krmfn.krm.item import Manifest

# Containers of a mesh, whose ports are nobody's.
PROXIES = ("istio-proxy", "envoy")


def services(reader: "Reader") -> "Iterator[Manifest]":
    """Yield the Services that are not in the package."""
    if reader.service.flag("headless"):
        message = "makes Services whose clients reach pods by DNS, past any route; leave it out"
        reader.service.at("headless").problem(message)
    ports = list(_ports(reader))
    sides = [(reader.apex, "apex"), (reader.primary, "primary"), (reader.canary, "canary")]
    if theirs := reader.scene.lookup(Ref("v1", "Service", reader.namespace, reader.apex)):
        _check_apex(reader, Fields(theirs.value, theirs.ref).mapping("spec"))
        sides = sides[1:]
    for name, side in sides:
        metadata = reader.metadata(name, side, {reader.label: name} if reader.label else None)
        spec: Manifest = {"type": "ClusterIP", "selector": {reader.label: reader.value}, "ports": ports}
        if reader.service.has("trafficDistribution"):
            spec["trafficDistribution"] = reader.service.text("trafficDistribution")
        yield {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}


def _check_apex(reader: "Reader", spec: Fields) -> None:
    """Hold that the author's Service has the port that the other two have, for routes lead from one to the others."""
    there = [port.whole("port") for port in spec.sequence("ports")]
    if reader.port and reader.port not in there:
        found = ", ".join(str(port) for port in there) or "none"
        message = f"is {reader.port}, and the Service {reader.apex} of the package has {found}; give both the same"
        reader.service.at("port").problem(message)


def _ports(reader: "Reader") -> "Iterator[Manifest]":
    target = reader.service.at("targetPort")
    known = {p["name"] for _, _, p in listening(reader) if isinstance(p.get("name"), str)}
    if isinstance(target.value, str) and reader.item and target.value not in known:
        target.problem(f"{target.value!r} is the name of no port of {reader.workload}")
    wanted = reader.port if target.value in (None, "", 0) else target.value
    port: Manifest = {"name": reader.service.text("portName", "http"), "protocol": "TCP", "port": reader.port}
    if reader.service.has("appProtocol"):
        port["appProtocol"] = reader.service.text("appProtocol")
    yield port | {"targetPort": wanted}
    for container, index, found in listening(reader) if reader.service.flag("portDiscovery") else ():
        number = found.get("containerPort")
        if wanted not in (number, found.get("name")):
            name = found.get("name") or f"tcp-{container}-{index}"
            protocol = found.get("protocol") or "TCP"
            yield {"name": name, "protocol": protocol, "port": number, "targetPort": number}


def listening(reader: "Reader") -> "Iterator[tuple[str, int, Manifest]]":
    """Yield (container, index, port) for each port of the pods, but for those of proxies."""
    pod = ((reader.item.value.get("spec") or {}).get("template") or {}).get("spec") or {} if reader.item else {}
    for container in pod.get("containers") or ():
        if container.get("name") not in PROXIES:
            for index, port in enumerate(container.get("ports") or ()):
                yield container.get("name") or "", index, port
