"""The only door to YAML: objects in and out as text that stays as it was wherever its meaning does.

It knows Kubernetes' wire formats and nothing of rollouts.
"""

from krmfn.krm.files import read_files, write_files, write_stream
from krmfn.krm.item import Item, Ref, dump, load, new, retext, same
from krmfn.krm.package import Package
from krmfn.krm.wire import read, write

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
