"""The only door to YAML: objects in and out as text that stays as it was wherever its meaning does.

It knows Kubernetes' wire formats and nothing of rollouts.
"""

from krmfn.krm.item import Item, Ref, dump, load, new, retext, same
from krmfn.krm.package import Package
from krmfn.krm.wire import read, write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from krmfn.krm.files import read_files, write_files, write_stream

__all__ = [
    "Item",
    "Package",
    "Ref",
    "dump",
    "load",
    "new",
    "read",
    "read_files",
    "retext",
    "same",
    "write",
    "write_files",
    "write_stream",
]


def __getattr__(name: str) -> object:
    """Import what reads and writes files when somebody asks for it: a function is given a list."""
    if name not in __all__:
        message = f"krmfn.krm has no {name}"
        raise AttributeError(message)
    from krmfn.krm import files

    return getattr(files, name)
