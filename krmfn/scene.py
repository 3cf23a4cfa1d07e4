"""What we were given, minus what we made ourselves: the author's objects, found by name, and the state of the releases.

In-place hosts feed us our own output. Objects that we added are set apart; fields that we wrote get back what stood
there, with whatever people changed since, field by field.
"""

from krmfn import shapes
from krmfn import state as states
from krmfn.changes import GONE, Change, apply, at, diff, overlap
from krmfn.config import API_VERSION, ROLLOUT
from krmfn.errors import KrmfnError
from krmfn.isolation import short
from krmfn.kinds import CLUSTER_WIDE, LOCAL_CONFIG
from krmfn.krm import load, new, retext, same
from krmfn.krm.item import Ref

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from krmfn.catalogue import Catalogue
    from krmfn.krm import Item, Package
    from krmfn.krm.item import Manifest
    from krmfn.plan import Plan, Route
    from krmfn.state import Edit

    Key = tuple[str, str, str, str]

INTERNAL = ("internal.config.", "config.kubernetes.io/", "config.k8s.io/", "kustomize.config.k8s.io/", "postrenderer.")
# A look-up is a search through the text; from here on it is quicker to have a table of all objects.
MANY = 100


class Scene:
    """One package: ``authored`` items by their place in the list, ``added`` ones (ours) by key, and the state.

    ``made`` are the objects that a rollout brings along, by key: they are found as if the author had written them.
    ``standing`` is what became of some items in this run, by mark: several routes may be parts of one object.
    """

    def __init__(self, package: "Package") -> None:
        """Read the state and undo what it says we did. Raises KrmfnError when either cannot be read."""
        self.package = package
        self.authored: dict[int, Item] = {}
        self.made: dict[Key, Item] = {}
        self.standing: dict[int, Item] = {}
        self._shaped: set[int] = set()
        self.state_item = self._state_item()
        self.state = states.read(self.state_item) if self.state_item else states.State()
        self.added = {item.ref.key: self._read(item) for item in package.find(ROLLOUT) if ours(item)}
        self._looked_up = 0
        self._catalogue: Catalogue | None = None
        # The last first: it was made in what the others had left.
        for edit in reversed(self.state.edits):
            if item := self.lookup(edit.ref):
                self.authored[item.mark] = undone(item, edit)

    def forget(self, rollout: "Ref") -> None:
        """Know nothing any more of the releases of a rollout."""
        left = (release for release in self.state.releases if release.rollout.key != rollout.key)
        self.state = self.state.replace(releases=tuple(left))

    def supply(self, plan: "Plan") -> None:
        """Take in the objects that a rollout makes. Raises KrmfnError where the package has one of that name."""
        rollout = self.lookup(plan.rollout) if plan.makes else None
        path = rollout.path if rollout else ""
        for manifest in plan.makes:
            metadata = manifest["metadata"]
            labels = (metadata.get("labels") or {}) | {ROLLOUT: short(plan.rollout.name)}
            item = new(manifest | {"metadata": metadata | {"labels": labels}}, path=path)
            if theirs := self.lookup(item.ref):
                message = f"is in the package, and {plan.rollout} makes an object of that name; rename or remove one"
                raise KrmfnError(message, ref=theirs.ref, file=theirs.path)
            item.mark = -2 - len(self.made)
            self.made[item.ref.key] = item

    def lookup(self, ref: "Ref") -> "Item | None":
        """Return the author's object of that group, kind, namespace and name (any version), as the author wrote it."""
        if made := self.made.get(ref.key):
            return made
        found = _kept(self._called(ref))
        if found is None or (ref.key in self.added and self.added[ref.key].mark == found.mark):
            return None
        return self._read(self.authored.get(found.mark, found))

    def _called(self, ref: "Ref") -> "list[Item]":
        """Return every object of that group, kind, namespace and name, as it came in."""
        if catalogue := self._all():
            return catalogue.by_key.get(ref.key, [])
        return [item for item in self.package.find(ref.name, ref.kind) if item.ref.key == ref.key]

    def _all(self) -> "Catalogue | None":
        """Return the table of all objects, where there have been look-ups enough."""
        self._looked_up += 1
        if self._looked_up > MANY and self._catalogue is None:
            from krmfn.catalogue import Catalogue

            self._catalogue = Catalogue(self.package.items)
        return self._catalogue

    def require(self, ref: "Ref", by: "Ref", field: str) -> "Item":
        """Return the author's object, or raise a KrmfnError that names what is there instead, or there twice."""
        called = [] if ref.key in self.made or ref.key in self.added else self._called(ref)
        if len(called) > 1 and len(twins := [twin for twin in called if not _hook(twin)]) > 1:
            places = ", ".join(f"{twin.path}[{twin.index}]" for twin in twins if twin.path)
            message = f"is in the package {len(twins)} times, and only one of them can be released; keep one"
            also = f" of {places}, or name the file of a patch in .krmignore" if places else ""
            raise KrmfnError(message + also, ref=ref, file=twins[1].path)
        if item := self.lookup(ref):
            return item
        from krmfn.elsewhere import hint

        there = [item.ref for item in self.of_kind(ref.group, ref.kind)]
        there += [item.ref for item in self.package.find(ref.name, ref.kind) if item.ref.group != ref.group]
        raise KrmfnError(f"names {ref}, which is not in the package{hint(ref, there)}", ref=by, field=field)

    def route(self, plan: "Plan", route: "Route", namespace: str) -> "Item":
        """Return a route object of the plan, whatever its version; raise as ``require`` does."""
        place = "" if (route.group, route.kind) in CLUSTER_WIDE else namespace
        return self.require(Ref(f"{route.group}/v1", route.kind, place, route.name), plan.rollout, route.field)

    def of_kind(self, group: str, kind: str, *words: str) -> "Iterator[Item]":
        """Yield the author's objects of a kind that could hold all the words.

        A word is a whole text or key, or the beginning of a key that ends with a dot or a slash.
        """
        catalogue = self._all()
        for item in catalogue.holding(group, kind, words) if catalogue else self.package.find(kind, *words):
            if (item.ref.group, item.ref.kind) == (group, kind) and item.ref.key not in self.added:
                yield self._read(self.authored.get(item.mark, item))
        yield from (item for item in self.made.values() if (item.ref.group, item.ref.kind) == (group, kind))

    def _state_item(self) -> "Item | None":
        found = [i for i in self.package.find(states.KIND, API_VERSION) if i.ref.kind == states.KIND]
        if len(found) > 1:
            message = (
                f"the package has {len(found)} RolloutStates; give krmfn each of their folders by itself, or keep "
            )
            message += f"the one that krmfn wrote last, {found[0].path}"
            raise KrmfnError(message, ref=found[1].ref, file=found[1].path)
        return self._read(found[0]) if found else None

    def _read(self, item: "Item") -> "Item":
        """Return an object, the first time only if it has the shape that the rest of us relies on."""
        if item.mark not in self._shaped:
            shapes.check(item)
            self._shaped.add(item.mark)
        return item


def _kept(called: "list[Item]") -> "Item | None":
    """Return the first of some objects of one name that is no hook; a hook only where there is nothing else."""
    several = called if len(called) > 1 else ()
    return next((item for item in several if not _hook(item)), next(iter(called), None))


def _hook(item: "Item") -> bool:
    """Tell whether a host runs an object at certain times, instead of keeping it in the cluster."""
    annotations = (item.value.get("metadata") or {}).get("annotations")
    return isinstance(annotations, dict) and any(str(key).startswith("helm.sh/hook") for key in annotations)


def ours(item: "Item") -> bool:
    """Tell whether we added an object: it carries our label, and is not merely config that mentions it."""
    value: Any = item.value
    metadata = value.get("metadata") if isinstance(value, dict) else None
    labels = metadata.get("labels") if isinstance(metadata, dict) else None
    return isinstance(labels, dict) and ROLLOUT in labels


def bare(manifest: "Manifest") -> "Manifest":
    """Return the manifest without the annotations by which hosts keep track of it."""
    metadata = manifest.get("metadata") or {}
    given = metadata.get("annotations") or {}
    annotations = {k: v for k, v in given.items() if k == LOCAL_CONFIG or not k.startswith(INTERNAL)}
    rest = {k: v for k, v in metadata.items() if k != "annotations"}
    return manifest | {"metadata": rest | ({"annotations": annotations} if annotations else {})}


def changed(item: "Item", path: tuple[str, ...], value: "Any", text: str = "") -> "Item":
    """Return the item with one field set (GONE removes it), written as ``text`` where that is given."""
    return item.edited(apply([Change(path, value)], item.value), {path: text} if text else {})


def stands(item: "Item", path: tuple[str, ...], text: str) -> bool:
    """Tell whether a field stands there just as we would write that text: nobody has laid it out anew."""
    return item.edited(item.value, {path: text}).raw == item.raw


def undone(item: "Item", edit: "Edit") -> "Item":
    """Return the item with what stood in a field before we wrote it, and what people changed there since.

    Raises KrmfnError where a person changed the very field that we had written.
    """
    base: Any = load(edit.base) if edit.base else GONE
    wrote: Any = load(edit.wrote) if edit.wrote else GONE
    now = at(item.value, edit.path)
    if now is wrote:
        return changed(item, edit.path, base, edit.base)
    if now is GONE or same(now, base):
        return item
    text = item.excerpt(edit.path)
    if same(now, wrote):
        unchanged = bool(edit.base) and stands(item, edit.path, retext(edit.base, wrote))
        return changed(item, edit.path, base, edit.base if unchanged or base is GONE else retext(text, base))
    theirs = _theirs(item, edit, (base, wrote, now))
    return changed(item, edit.path, apply(theirs, base))


def _theirs(item: "Item", edit: "Edit", values: "tuple[Any, Any, Any]") -> list[Change]:
    """Return what people changed in a field; a field that is back at its base is as good as unchanged."""
    base, wrote, now = values
    mine = list(diff(base, wrote))
    theirs = []
    for change in diff(wrote, now):
        if same(at(base, change.path), at(now, change.path)):
            continue
        clashes = any(overlap(change, own) for own in mine)
        found = _merged([at(value, change.path) for value in values]) if clashes else change.value
        if clashes and found is GONE:
            raise _clash(item, edit, change, wrote)
        theirs.append(change.replace(value=found))
    return theirs


def _clash(item: "Item", edit: "Edit", change: Change, wrote: "Any") -> KrmfnError:
    field = Change((*edit.path, *change.path), None).field
    was, now = (
        f" to {value!r}" if isinstance(value, str | int) else "" for value in (at(wrote, change.path), change.value)
    )
    message = (
        f"was set by krmfn{was} and changed by hand{now}; restore what krmfn wrote, or make the change at position 0"
    )
    return KrmfnError(message, ref=item.ref, field=field, file=item.path)


def _merged(values: "list[Any]") -> "Any":
    from krmfn.merging import merged  # few runs meet an edit beside one of ours

    return merged(*values)
