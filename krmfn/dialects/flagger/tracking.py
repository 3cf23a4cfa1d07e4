"""Which ConfigMaps and Secrets are no part of a release: those that their author has taken out, and some Secrets."""

from krmfn.fields import Fields
from krmfn.krm.item import Ref
from krmfn.mounts import mounted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from krmfn.dialects.flagger.reader import Reader

TRACKING, OFF = "flagger.app/config-tracking", "disable"
# Secrets of any other type belong to somebody, and a copy of them would be of no use.
TYPES = ("", "Opaque", "kubernetes.io/basic-auth", "kubernetes.io/ssh-auth", "kubernetes.io/tls")


def untracked(reader: "Reader") -> "Iterator[tuple[str, str]]":
    """Yield kind and name of each that the workload reads."""
    template = ((reader.item.value.get("spec") or {}).get("template") or {}) if reader.item else {}
    for kind, name in sorted(mounted(template)):
        item = reader.scene.lookup(Ref("v1", kind, reader.namespace, name))
        if item is None:
            continue
        place = Fields(item.value, item.ref)
        off = place.mapping("metadata").mapping("annotations").text(TRACKING).startswith(OFF)
        if off or (kind == "Secret" and place.text("type") not in TYPES):
            yield kind, name
