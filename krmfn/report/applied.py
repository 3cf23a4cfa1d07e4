"""What of a rendered package goes into a cluster: everything but what is there for tools to read."""

from krmfn.hosts import local
from krmfn.kinds import LOCAL_CONFIG

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from krmfn.function import Rendered
    from krmfn.krm import Item, Package

# Kinds of these groups are read by tools, and a cluster knows none of them.
TOOLS = ("kustomize.config.k8s.io", "kpt.dev", "config.kubernetes.io", "krmfn.dev")


class Applied:
    """What of a package is applied, at any position; what is not is found once."""

    def __init__(self, package: "Package") -> None:
        """Look through the package."""
        annotated = {item.mark for item in package.find(LOCAL_CONFIG)}
        self.package = package
        self._left_out: dict[int, Sequence[Item]] = {
            mark: ()
            for mark, item in enumerate(package.items)
            if _for_tools(item) or (mark in annotated and local(item))
        }

    def changes(self, rendered: "Rendered") -> "dict[int, Sequence[Item]]":
        """Return, by mark, what stands in the place of each item that is changed, or left out for not being applied."""
        return self._left_out | {
            mark: [now for now in items if not (_for_tools(now) or local(now))]
            for mark, items in rendered.changes.items()
        }


def manifests(package: "Package", changes: "dict[int, Sequence[Item]]") -> "list[Item]":
    """Return every item, in order, with the changes made."""
    return [now for mark, item in enumerate(package.items) for now in changes.get(mark, (item,))]


def _for_tools(item: "Item") -> bool:
    ref = item.ref
    return not (ref.api_version and ref.kind) or ref.group in TOOLS
