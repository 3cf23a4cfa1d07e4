"""The dialects: one module per API in which a rollout can be written, each with ``plan(rollout, scene)``.

A run meets one of them, and loads no other.
"""

from krmfn.krm import Item

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final, Protocol

    from krmfn.adoption import Commit
    from krmfn.plan import Plan
    from krmfn.scene import Scene

    # How a rollout moves over from its controller. Raises ``Refused`` while a release is under way.
    Adoption = Callable[[Item, Scene], tuple[Commit, ...]]

    class Dialect(Protocol):
        """What every dialect offers."""

        def plan(self, rollout: Item, scene: Scene) -> Plan:
            """Return what the author asked for. Raises ``Refused`` naming every field that is wrong."""


def _kruise() -> "Dialect":
    from krmfn.dialects import kruise

    return kruise


def _argo() -> "Dialect":
    from krmfn.dialects import argo

    return argo


def _flagger() -> "Dialect":
    from krmfn.dialects import flagger

    return flagger


def _kubevela() -> "Dialect":
    from krmfn.dialects import kubevela

    return kubevela


DIALECTS: "Final[dict[tuple[str, str], Callable[[], Dialect]]]" = {
    ("rollouts.kruise.io", "Rollout"): _kruise,
    ("argoproj.io", "Rollout"): _argo,
    ("flagger.app", "Canary"): _flagger,
    ("core.oam.dev", "Application"): _kubevela,
}


def find(item: Item) -> "Dialect | None":
    """Return the dialect of an object, None where it is no rollout, or of a kind that may ask for one and does not."""
    load = DIALECTS.get((item.ref.group, item.ref.kind))
    dialect = load() if load else None
    asks: Callable[[Item], bool] | None = getattr(dialect, "asks", None)
    return dialect if asks is None or asks(item) else None


def adoption(item: Item) -> "Adoption | None":
    """Return the ``adoption`` of a rollout's dialect, from the module of that name; None where it has no such thing."""
    from importlib import import_module
    from importlib.util import find_spec

    dialect = find(item)
    name = f"{getattr(dialect, '__name__', '')}.adoption"
    found: Adoption | None = import_module(name).adoption if dialect and find_spec(name) else None
    return found
