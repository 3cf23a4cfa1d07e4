"""The dialects: one module per API in which a rollout can be written, each with ``plan(rollout, scene)``."""

from krmfn.dialects import argo, kruise
from krmfn.krm import Item

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final, Protocol

    from krmfn.plan import Plan
    from krmfn.scene import Scene

    class Dialect(Protocol):
        """What every dialect offers."""

        def plan(self, rollout: Item, scene: Scene) -> Plan:
            """Return what the author asked for. Raises ``Refused`` naming every field that is wrong."""


DIALECTS: "Final[dict[tuple[str, str], Dialect]]" = {
    ("rollouts.kruise.io", "Rollout"): kruise,
    ("argoproj.io", "Rollout"): argo,
}


def find(item: Item) -> "Dialect | None":
    """Return the dialect of an object, None where it is no rollout."""
    return DIALECTS.get((item.ref.group, item.ref.kind))
