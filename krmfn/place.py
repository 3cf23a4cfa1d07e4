"""Where everything goes: objects that changed stay in their place, new ones stand next to the one they came from."""

from posixpath import splitext

from krmfn.changes import GONE, Change, apply, at, diff
from krmfn.errors import KrmfnError
from krmfn.kinds import NOT_APPLIED
from krmfn.krm import Item, dump, load, new, same
from krmfn.krm.item import Ref
from krmfn.results import WARNING, Result
from krmfn.revisions import TEMPLATE
from krmfn.scene import Scene, bare
from krmfn.state import Edit, State
from krmfn.view import Added, Edited, View

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from krmfn.krm.item import Manifest
    from krmfn.state import Release


class Placement:
    """What becomes of a package: the items that stand at a mark instead of the one that came in there."""

    def __init__(self, scene: Scene) -> None:
        """Start from the package as its author wrote it: what we added before is gone unless it is added again."""
        self.scene = scene
        self.edits: list[Edit] = []
        self.added: list[tuple[Ref, str]] = []
        self._edited = scene.standing
        self._after: dict[int, list[Item]] = {}
        self._kept: dict[int, Item] = {}
        self._paths: dict[str, int] = {}
        self._recorded: dict[tuple[object, tuple[str, ...]], int] = {}
        self._names: set[object] = set()

    def take(self, outputs: "Iterable[Added | Edited | Result]", view: View) -> "Iterator[Result]":
        """Put everything that the renderers made of one rollout where it belongs; yield their findings.

        What the rollout makes comes first, for it is there at every position: whatever the order of positions was, the
        objects stand in one order.
        """
        added: list[Added] = []
        for output in outputs:
            if isinstance(output, Added):
                added.append(output)
            elif isinstance(output, Edited):
                # The workload's template is kept in the release itself, as both of its revisions.
                kept = output.path == TEMPLATE and output.item is view.workload
                self.edit(output, record=not kept and output.item.ref.key not in self.scene.made)
            else:
                yield output
        made = [self.scene.made[ref_of(manifest).key] for manifest in view.plan.makes]
        for item in made:
            self._add_beside(view, Added(self._edited.pop(item.mark, item).value, item), made)
        for one in added:
            self._add_beside(view, one, made)

    def _add_beside(self, view: View, added: Added, made: "list[Item]") -> None:
        """Add an object: where the one that it comes from is made, beside the rollout and behind all that it makes."""
        if added.source.ref.key not in self.scene.made:
            self.add(added)
            return
        rollout = self.scene.require(view.plan.rollout, view.plan.rollout, "metadata.name")
        marks = [self.scene.added[item.ref.key].mark for item in made if item.ref.key in self.scene.added]
        self.add(Added(added.manifest, rollout), max(marks, default=rollout.mark))

    def state(self, releases: "Iterable[Release]") -> State:
        """Return the state to keep, with that of the rollouts that were left alone."""
        done = tuple(releases)
        keys = {release.rollout.key for release in done}
        there = tuple(
            r for r in self.scene.state.releases if r.rollout.key not in keys and self.scene.lookup(r.rollout)
        )
        return State((*done, *there), tuple(self.edits), tuple(self.added))

    def edit(self, edited: Edited, *, record: bool) -> None:
        """Set a field of one of the author's objects; ``record`` it where it has to be undone later."""
        item = self._now(edited.item)
        if same(at(item.value, edited.path), edited.value) and edited.text in ("", item.excerpt(edited.path)):
            return
        value = apply([Change(edited.path, edited.value)], item.value)
        if record:
            self._record(_edit(item, edited))
        self._edited[item.mark] = item.edited(value, {edited.path: edited.text} if edited.text else {})

    def _record(self, edit: Edit) -> None:
        """Remember an edit; of a field that was edited before, its base is what stood there before both."""
        number = self._recorded.setdefault((edit.ref.key, edit.path), len(self.edits))
        if number == len(self.edits):
            self.edits.append(edit)
        else:
            self.edits[number] = self.edits[number].replace(wrote=edit.wrote)

    def add(self, added: Added, mark: int | None = None) -> None:
        """Add an object behind its source, or a mark. Raises KrmfnError when there is one of that name by then."""
        ref = ref_of(added.manifest)
        theirs = None if ref.key in self.scene.made else self.scene.lookup(ref)
        if theirs:
            message = "is in the package, and the release needs that name for its canary; rename one of them"
            raise KrmfnError(message, ref=theirs.ref, file=theirs.path)
        if ref.key in self._names:
            message = (
                f"would be there twice, for several releases add it beside {added.source.ref}; give each an object "
            )
            message += "of its own there, or finish one release before the next one begins"
            raise KrmfnError(message, ref=ref, file=added.source.path)
        self._names.add(ref.key)
        self._check_hand_edits(ref, added)
        prior = self.scene.added.get(ref.key)
        path, index = (prior.path, prior.index) if prior else self._beside(added.source)
        item = new(added.manifest, path=path, index=index)
        self.added.append((ref, item.text))
        if prior is None:
            self._after.setdefault(added.source.mark if mark is None else mark, []).append(item)
        else:
            self._kept[prior.mark] = prior if same(bare(prior.value), added.manifest) else item

    def set_apart(self, item: Item) -> None:
        """Mark an object as one that is read by krmfn and never applied."""
        item = self._now(item)
        metadata = item.value.get("metadata") or {}
        annotations = (metadata.get("annotations") or {}) | NOT_APPLIED
        if same(annotations, metadata.get("annotations")):
            return
        self._edited[item.mark] = item.edited(item.value | {"metadata": metadata | {"annotations": annotations}})

    def keep(self, manifest: "Manifest", beside: Item) -> None:
        """Write the state, in its own place, or next to the first rollout in a file of its own."""
        prior = self.scene.state_item
        if prior is None:
            path = f"{beside.path.rpartition('/')[0]}/".lstrip("/") + f"{manifest['metadata']['name']}.yaml"
            item = new(manifest, path=path if beside.path else "", index=0)
            self._after.setdefault(beside.mark, []).append(item)
        elif not same(bare(prior.value), manifest):
            self._edited[prior.mark] = new(manifest, path=prior.path, index=prior.index)

    def departures(self) -> "Iterator[Result]":
        """Warn of what people changed in objects that leave now; a pod template's changes are in the target already."""
        wrote = {ref.key: load(text) for ref, text in self.scene.state.added}
        for key, prior in self.scene.added.items():
            if prior.mark in self._kept or key not in wrote:
                continue
            changes = diff(wrote[key], bare(prior.value))
            if fields := [change.field for change in changes if change.path[:2] != TEMPLATE]:
                message = "was changed by hand here, and leaves the package with what the release added"
                yield Result(WARNING, message, prior.ref, fields[0], prior.path, prior.index)

    def changes(self) -> "dict[int, tuple[Item, ...]]":
        """Return, for each mark where something changed, the items that stand there now: none, one or several."""
        gone = {item.mark for item in self.scene.added.values()}
        marks = {*self.scene.authored, *self._edited, *self._after, *gone}
        found = {}
        for mark in sorted(marks):
            first = self._kept.get(mark) if mark in gone else self._now(self.scene.package.items[mark])
            found[mark] = tuple(item for item in (first, *self._after.get(mark, ())) if item is not None)
        return found

    def _now(self, item: Item) -> Item:
        """Return an object of the package as it stands by now, at the least as its author wrote it."""
        return self._edited.get(item.mark) or self.scene.authored.get(item.mark, item)

    def _beside(self, source: Item) -> tuple[str, int]:
        """Return a file beside the source's, and the next free place in it."""
        if not source.path:
            return "", 0
        stem, extension = splitext(source.path)
        path = f"{stem}-canary{extension}"
        if path not in self._paths:
            there = [item.index for item in self.scene.package.in_file(path) if not self._ours(item)]
            self._paths[path] = max(there, default=-1) + 1
        index = self._paths[path]
        self._paths[path] += 1
        return path, index

    def _ours(self, item: Item) -> bool:
        return item.ref.key in self.scene.added

    def _check_hand_edits(self, ref: Ref, added: Added) -> None:
        """Refuse to lose what a person changed in an object that we wrote; not where its source says the same."""
        prior = self.scene.added.get(ref.key)
        wrote = self.scene.state.wrote(ref)
        if prior is None or not wrote:
            return
        for change in diff(load(wrote), bare(prior.value)):
            there, source = (at(value, change.path) for value in (added.manifest, added.source.value))
            if change.value is not GONE and same(source, change.value):
                continue
            if there is not change.value and not same(there, change.value):
                message = (
                    f"was changed by hand to {change.value!r}; krmfn writes this object anew at each step, so make the "
                    f"change in {added.source.ref}, or undo it"
                )
                raise KrmfnError(message, ref=ref, field=change.field, file=prior.path)


def _edit(item: Item, edited: Edited) -> Edit:
    """Return what is to be remembered of an edit: a field that brings its parents along leaves with them."""
    path, value = edited.path, edited.value
    while len(path) > 1 and at(item.value, path[:-1]) is GONE:
        path, value = path[:-1], {path[-1]: value}
    base = "" if at(item.value, path) is GONE else item.excerpt(path)
    return Edit(item.ref, path, base, "" if value is GONE else dump(value))


def ref_of(manifest: "Manifest") -> Ref:
    """Return the identity of a manifest that we made."""
    metadata = manifest["metadata"]
    return Ref(manifest["apiVersion"], manifest["kind"], metadata.get("namespace", ""), metadata["name"])
