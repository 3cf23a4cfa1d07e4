"""Packages whose host has renamed objects, and not yet what refers to them.

kustomize puts prefixes and suffixes on names before it runs a function, and rewrites references to them when all is
done: until then an Ingress, and the rollout, say names that no object has. So a package is rendered under the names
that were written in it, and what comes of it gets the host's names, with the host's notes on what they were.
Source: kustomize's api/resource (previous names) and api/accumulator (name references).
"""

import re

from krmfn import krm
from krmfn.kinds import REVISIONS
from krmfn.results import ERROR, Result

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from krmfn.krm import Item, Package
    from krmfn.krm.item import Manifest
    from krmfn.view import View

    Changes = dict[int, tuple[Item, ...]]

_NOTE = "internal.config.kubernetes.io/"
PREVIOUS = f"{_NOTE}previousNames"
_NAMESPACES, _KINDS = f"{_NOTE}previousNamespaces", f"{_NOTE}previousKinds"
_AFFIXES = (f"{_NOTE}prefixes", f"{_NOTE}suffixes")
# The group of the routes that kustomize knows, so that it changes the names in them.
KNOWN = "networking.k8s.io"

# The note as kustomize writes it: in block style, and without quotes where it may.
_NOTED = re.compile(rf"^ +{re.escape(PREVIOUS)}: ([a-z0-9.-]+)(?:,[a-z0-9.,-]*)?$", re.MULTILINE)


class Renamed:
    """A package under the names that its author wrote: ``written`` is the one to render."""

    def __init__(self, package: "Package") -> None:
        """Look for renamed objects; where there are none the package is as its author wrote it."""
        self.given = package
        self.names = _originals(package)
        self.written = _under(package, self.names) if self.names else package

    def back(self, changes: "Changes") -> "Changes":
        """Return what was made of the package, under the names that the host has given."""
        return {mark: tuple(self._back(mark, item) for item in items) for mark, items in changes.items()}

    def problems(self, views: "Sequence[View]") -> "Iterator[Result]":
        """Yield what the host would leave as it is of the names that a rollout brings along, and nothing has then."""
        for view in views if self.names else ():
            rollout, where = view.scene.lookup(view.plan.rollout), ""
            if rollout and rollout.mark in self.names:
                made = {(_group(one), one["kind"]) for one in view.plan.makes}
                routes = [route for route in view.plan.routes if (route.group, route.kind) in made]
                where = ", ".join(dict.fromkeys(route.kind for route in routes if route.group != KNOWN))
            if view.plan.style == REVISIONS and view.workload.mark in self.names:
                where = f"the template and the traffic of {view.workload.ref}"
            if where:
                message = f"{where} would name objects as they were called before kustomize renamed them, and lead to "
                message += "nothing; leave out namePrefix and nameSuffix, and keep environments apart by namespace"
                yield Result(ERROR, message, view.plan.rollout)

    def _back(self, mark: int, item: "Item") -> "Item":
        if mark not in self.names:
            return item
        now = self.given.items[mark].ref.name
        if item.mark == mark:
            return _called(item, now)
        before, found, after = now.partition(self.names[mark])
        name = item.ref.name
        return krm.new(_noted(item, f"{before}{name}{after}", self.given.items[mark])) if found else item


def _originals(package: "Package") -> "dict[int, str]":
    """Return, by mark, the first name of each object that has another one now, and shares the first with nobody."""
    found = {item.mark: _first(item) for item in package.find(PREVIOUS)}
    found = {mark: name for mark, name in found.items() if name not in ("", package.items[mark].ref.name)}
    taken: dict[tuple[str, ...], list[int]] = {}
    for item in package.items if found else ():
        name = found.get(item.mark, item.ref.name)
        for key in {item.ref.key, item.ref.replace(name=name).key}:
            taken.setdefault(key, []).append(item.mark)
    several = {mark for marks in taken.values() if len(marks) > 1 for mark in marks}
    return {mark: name for mark, name in found.items() if mark not in several}


def _first(item: "Item") -> str:
    """Return what an object was called first; where that is its name, mostly without reading the whole of it."""
    plain = _NOTED.search(item.text)
    if plain and plain[1] == item.ref.name:
        return item.ref.name
    return _annotations(item).get(PREVIOUS, "").partition(",")[0]


def _under(package: "Package", names: "dict[int, str]") -> "Package":
    changes = {mark: (_called(package.items[mark], name),) for mark, name in names.items()}
    if package.wire == "list":
        return krm.read(b"".join(krm.write(package, changes)))
    items = [item for mark, given in enumerate(package.items) for item in changes.get(mark, (given,))]
    return krm.read(b"---\n".join(bytes(item.raw).rstrip(b"\n") + b"\n" for item in items))


def _called(item: "Item", name: str) -> "Item":
    return item.edited(item.value | {"metadata": item.value["metadata"] | {"name": name}})


def _noted(item: "Item", name: str, source: "Item") -> "dict[str, object]":
    """Return a new object under the host's name for it, with the notes by which the host finds it by the other one."""
    given = _annotations(source)
    namespace = given.get(_NAMESPACES, "default").partition(",")[0]
    notes = {PREVIOUS: item.ref.name, _NAMESPACES: namespace, _KINDS: item.ref.kind}
    notes |= {key: given[key] for key in _AFFIXES if key in given}
    metadata = item.value["metadata"]
    return item.value | {"metadata": metadata | {"name": name, "annotations": _annotations(item) | notes}}


def _group(manifest: "Manifest") -> str:
    return str(manifest["apiVersion"]).rpartition("/")[0]


def _annotations(item: "Item") -> "dict[str, str]":
    value: Any = item.value  # a host may send what is no object
    metadata = value.get("metadata") if isinstance(value, dict) else None
    return (metadata.get("annotations") if isinstance(metadata, dict) else None) or {}
