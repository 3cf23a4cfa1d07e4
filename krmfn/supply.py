"""Objects that the function config brings along: for hosts that give a function nothing else, such as a generator's."""

from krmfn import krm
from krmfn.errors import KrmfnError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from krmfn.krm import Package
    from krmfn.krm.item import Manifest


def supplied(package: "Package", manifests: "Sequence[Manifest]") -> "Package":
    """Return the package with the manifests behind its items, as if they had been given; none that it has already.

    Raises KrmfnError where two of the manifests are one object.
    """
    there = {item.ref.key for item in package.items}
    new = [krm.new(manifest) for manifest in manifests]
    names = [item.ref.key for item in new]
    if twice := next((item.ref for item in new if names.count(item.ref.key) > 1), None):
        raise KrmfnError("is in the `manifests` of the function config more than once; keep one", ref=twice)
    new = [item for item in new if item.ref.key not in there]
    if package.wire == "list":
        return krm.read(b"".join(krm.write(package, [*package.items, *new])))
    return krm.read(b"---\n".join(item.text.encode().rstrip(b"\n") + b"\n" for item in (*package.items, *new)))
