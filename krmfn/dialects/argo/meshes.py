"""Routers that one object stands for: SMI, Ambassador, Traefik, APISIX and App Mesh."""

from krmfn.errors import KrmfnError
from krmfn.fields import Fields
from krmfn.krm.item import Ref
from krmfn.plan import Pair, Route
from krmfn.selectors import matches

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from krmfn.dialects.argo.reader import Reader
    from krmfn.krm.item import Manifest

# Traefik up to v2 has another group, too, of which the controller is told with --traefik-api-group.
TRAEFIK, FORMER_TRAEFIK = "traefik.io", "traefik.containo.us"
SPLIT, MESH = "split.smi-spec.io", "appmesh.k8s.aws"
# The version of a TrafficSplit that is made: the first one whose weights are numbers.
SPLIT_VERSION = "v1alpha2"
KINDS = ("httpRoute", "http2Route", "grpcRoute", "tcpRoute")


def smi(reader: "Reader", pair: "Pair") -> "Iterator[Route]":
    """Yield the TrafficSplit, which is made where the package has none."""
    place = reader.routing.mapping("smi")
    name, root = place.text("trafficSplitName", reader.name), place.text("rootService", pair.stable)
    if not reader.scene.lookup(Ref(f"{SPLIT}/{SPLIT_VERSION}", "TrafficSplit", reader.namespace, name)):
        reader.makes.append(_split(reader, name, root, pair))
    yield Route(SPLIT, "TrafficSplit", name, "", pair, f"{place.path}.trafficSplitName", told=(("entrance", root),))


def _split(reader: "Reader", name: str, root: str, pair: "Pair") -> "Manifest":
    metadata = {"name": name} | ({"namespace": reader.namespace} if reader.namespace else {})
    backends = [{"service": pair.canary, "weight": 0}, {"service": pair.stable, "weight": 100}]
    spec = {"service": root, "backends": backends}
    return {"apiVersion": f"{SPLIT}/{SPLIT_VERSION}", "kind": "TrafficSplit", "metadata": metadata, "spec": spec}


def ambassador(reader: "Reader", pair: "Pair") -> "Iterator[Route]":
    """Yield each Mapping, beside which there is one of the canary's."""
    place = reader.routing.mapping("ambassador")
    entries = list(place.sequence("mappings"))
    if not entries:
        place.at("mappings").problem("names no Mapping")
    for entry in entries:
        name = str(entry.value)
        ref = Ref("getambassador.io/v2", "Mapping", reader.namespace, name)
        if (item := reader.scene.lookup(ref)) and Fields(item.value).mapping("spec").has("weight"):
            entry.problem(f"the Mapping {name} has a weight, and the canary's is to get its own; leave it out")
        yield Route("getambassador.io", "Mapping", name, "", pair, entry.path, f"{name[:246]}-canary")


def traefik(reader: "Reader", pair: "Pair") -> "Iterator[Route]":
    """Yield the TraefikService."""
    place = reader.routing.mapping("traefik")
    name = place.text("weightedTraefikServiceName", required=True)
    former = reader.scene.lookup(Ref(f"{FORMER_TRAEFIK}/v1alpha1", "TraefikService", reader.namespace, name))
    group, given = FORMER_TRAEFIK if former else TRAEFIK, f"{place.path}.weightedTraefikServiceName"
    yield Route(group, "TraefikService", name, "", pair, given)


def apisix(reader: "Reader", pair: "Pair") -> "Iterator[Route]":
    """Yield the ApisixRoute; every rule of it that leads to the stable Service has to be named."""
    place = reader.routing.mapping("apisix").mapping("route")
    name = place.text("name", required=True)
    item = reader.scene.lookup(Ref("apisix.apache.org/v2", "ApisixRoute", reader.namespace, name))
    rules = list(Fields(item.value, item.ref).mapping("spec").sequence("http")) if item else []
    leading = {rule.text("name") for rule in rules if pair.stable in _services(rule)}
    _check_named(place, "rules", leading, {rule.text("name") for rule in rules})
    yield Route("apisix.apache.org", "ApisixRoute", name, "", pair, f"{place.path}.name")


def _services(rule: Fields) -> set[str]:
    return {backend.text("serviceName") for backend in rule.sequence("backends")}


def _check_named(place: Fields, key: str, leading: set[str], there: set[str]) -> None:
    """Refuse names that there are none of, and rules that would be divided without being named."""
    written = place.at(key).value
    named = {str(name) for name in written} if isinstance(written, list) else set()
    for name in sorted(named - there) if there else ():
        place.at(key).problem(f"{name!r} is none of {', '.join(sorted(there))}")
    if left := sorted(leading - named) if named or len(leading) > 1 else []:
        place.at(key).problem(f"does not name {', '.join(left)}, which would be divided as well")


def app_mesh(reader: "Reader", _: "Pair") -> "Iterator[Route]":
    """Yield the VirtualRouter behind the VirtualService, and the VirtualNodes of both sides."""
    place = reader.routing.mapping("appMesh")
    nodes, service = place.mapping("virtualNodeGroup", required=True), place.mapping("virtualService", required=True)
    stable, canary = (nodes.mapping(f"{side}VirtualNodeRef") for side in ("stable", "canary"))
    names = stable.text("name", required=True), canary.text("name", required=True)
    pair = Pair(*names, f"{stable.path}.name", f"{canary.path}.name")
    name = service.text("name", required=True)
    item = reader.scene.lookup(Ref(f"{MESH}/v1beta2", "VirtualService", reader.namespace, name))
    if item is None:
        service.at("name").problem(f"names the VirtualService {name} of App Mesh, which is not in the package")
        return
    provider = Fields(item.value, item.ref, problems=reader.top.problems).mapping("spec").mapping("provider")
    router = provider.mapping("virtualRouter").mapping("virtualRouterRef").text("name", required=True)
    found = reader.scene.lookup(Ref(f"{MESH}/v1beta2", "VirtualRouter", reader.namespace, router))
    routes = list(Fields(found.value, found.ref).mapping("spec").sequence("routes")) if found else []
    leading = {route.text("name") for route in routes if pair.stable in _targets(route)}
    _check_named(service, "routes", leading, {route.text("name") for route in routes})
    yield Route(MESH, "VirtualRouter", router, "", pair, f"{service.path}.name")
    for side in (stable, canary):
        _check_node(reader, side.text("name"), owns=side is stable)
        yield Route(MESH, "VirtualNode", side.text("name"), "", pair, f"{side.path}.name")


def _check_node(reader: "Reader", name: str, *, owns: bool) -> None:
    """Hold that without a canary the stable node has the pods, and the other one none: a pod of two never starts."""
    node = reader.scene.lookup(Ref(f"{MESH}/v1beta2", "VirtualNode", reader.namespace, name))
    workload = reader.scene.lookup(reader.workload)
    if node is None or workload is None:
        return
    pods = Fields(workload.value).mapping("spec").mapping("template").mapping("metadata").labels("labels")
    selector = Fields(node.value).mapping("spec").mapping("podSelector")
    place = selector.mapping("matchLabels")
    match = selector.labels("matchLabels")
    message = ""
    if owns and (wrong := [key for key in match if pods.get(key) != match[key]]):
        message = (
            f"asks for {wrong[0]}={match[wrong[0]]}, which the pods of {reader.workload} do not have; leave it out"
        )
    if not owns and match and not selector.has("matchExpressions") and matches(match, pods):
        key, value = next(iter(match.items()))
        message = "selects the stable pods as well when there is no canary, and App Mesh starts no pod that two "
        message += f"VirtualNodes select; write a value that no pod has then, such as {key}: {value}-canary"
    if message:
        reader.top.problems.append(KrmfnError(message, ref=node.ref, field=place.path, file=node.path))


def _targets(route: Fields) -> set[str]:
    found = (route.mapping(kind).mapping("action").sequence("weightedTargets") for kind in KINDS)
    return {target.mapping("virtualNodeRef").text("name") for targets in found for target in targets}
