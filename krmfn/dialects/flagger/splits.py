"""What Flagger makes for meshes that speak SMI (Linkerd, Open Service Mesh): a TrafficSplit, the canary first."""

from krmfn.dialects.flagger.reader import texts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from krmfn.dialects.flagger.reader import Reader
    from krmfn.krm.item import Manifest

GROUP = "split.smi-spec.io"
QUANTITIES = "v1alpha1"
# The version that each mesh speaks.
VERSIONS = {"linkerd": QUANTITIES, "osm": "v1alpha2"}


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
