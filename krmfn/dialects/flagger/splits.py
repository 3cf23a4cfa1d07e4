"""What Flagger makes for meshes that divide by weights alone: a TrafficSplit of SMI, and Kuma's TrafficRoute."""

from krmfn.dialects.flagger.reader import texts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from krmfn.dialects.flagger.reader import Reader
    from krmfn.krm.item import Manifest

GROUP = "split.smi-spec.io"
SERVICE, MESH = "kuma.io/service", "kuma.io/mesh"
QUANTITIES = "v1alpha1"
# The version that each mesh speaks.
VERSIONS = {"linkerd": QUANTITIES, "osm": "v1alpha2"}


def traffic_route(reader: "Reader") -> "Iterator[Manifest]":
    """Yield Kuma's, which is in no namespace; a Service goes by its name, its namespace and its port there."""
    if not reader.namespace:
        message = f"is required: with the provider {reader.provider} it is part of the names of Services"
        reader.top.mapping("metadata").at("namespace").problem(message)
    metadata = {key: value for key, value in reader.metadata(reader.apex).items() if key != "namespace"}
    sides = ((reader.primary, 100), (reader.canary, 0))
    spec = {
        "sources": [{"match": {SERVICE: "*"}}],
        "destinations": [{"match": _known(reader, reader.apex)}],
        "conf": {"split": [{"weight": weight, "destination": _known(reader, name)} for name, weight in sides]},
    }
    mesh = reader.top.mapping("metadata").mapping("annotations").text(MESH, "default")
    yield {"apiVersion": "kuma.io/v1alpha1", "kind": "TrafficRoute", "mesh": mesh, "metadata": metadata, "spec": spec}


def _known(reader: "Reader", name: str) -> "Manifest":
    return {SERVICE: f"{name}_{reader.namespace}_svc_{reader.port}"}


def traffic_split(reader: "Reader") -> "Iterator[Manifest]":
    """Yield it; in the first version a weight is a quantity, which is a text."""
    version = VERSIONS.get(reader.provider) or reader.provider.partition(":")[2]
    sides = ((reader.canary, 0), (reader.primary, 100))
    backends = [{"service": name, "weight": str(weight) if version == QUANTITIES else weight} for name, weight in sides]
    yield {
        "apiVersion": f"{GROUP}/{version}",
        "kind": "TrafficSplit",
        "metadata": reader.metadata(reader.apex),
        "spec": {"service": (texts(reader.service, "hosts") or [reader.apex])[0], "backends": backends},
    }
