"""One object a file: names that depend on the object alone, so that a diff between two renderings stays small."""

import re
from itertools import count

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from krmfn.krm import Item
    from krmfn.krm.item import Ref

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]")


def one_per_file(items: "Iterable[Item]") -> "dict[str, Item]":
    """Return each item under a name such as ``deployment-web.yaml``, in a folder named after its namespace.

    Two kinds of one name (of different groups) are told apart by the group; whatever is the same even so, by a number.
    """
    found: dict[str, Item] = {}
    taken: set[str] = set()  # in lower case, since some file systems do not tell the cases apart
    for item in items:
        name = next(name for name in _names(item.ref) if name.lower() not in taken)
        taken.add(name.lower())
        found[name] = item
    return found


def _names(ref: "Ref") -> "Iterator[str]":
    folder = f"{_safe(ref.namespace)}/" if ref.namespace else ""
    name = f"-{_safe(ref.name)}" if ref.name else ""
    kind = _safe(ref.kind.lower())
    yield f"{folder}{kind}{name}.yaml"
    if ref.group:
        kind = f"{kind}.{_safe(ref.group)}"
        yield f"{folder}{kind}{name}.yaml"
    for number in count(2):
        yield f"{folder}{kind}{name}-{number}.yaml"


def _safe(name: str) -> str:
    return _UNSAFE.sub("_", name).lstrip(".") or "_"
