"""The identity of an object."""

from krmfn.frozen import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

Manifest = "dict[str, Any]"
Path = "tuple[str | int, ...]"


class Ref(Value):
    """Which object: ``namespace`` is "" where the manifest names none, ``api_version`` is "apps/v1", "v1", …"""

    api_version: str
    kind: str
    namespace: str
    name: str

    @property
    def group(self) -> str:
        """The API group; "" for the core API."""
        return self.api_version.rpartition("/")[0]

    @property
    def key(self) -> "tuple[str, str, str, str]":
        """What the API server tells objects apart by: group, kind, namespace, name."""
        return (self.group, self.kind, self.namespace, self.name)

    def __str__(self) -> str:
        """Show it the way people write it: ``Deployment default/web``."""
        place = f"{self.namespace}/" if self.namespace else ""
        return f"{self.kind} {place}{self.name}"
