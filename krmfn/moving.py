"""Moving over, commit by commit: the files of a package after each of them, for every rollout in it at once.

Like a stage, a commit is made from the package as its author wrote it: it looks the same whatever was rendered before.
"""

from krmfn import dialects, krm
from krmfn.adoption import MARK, Commit
from krmfn.changes import GONE
from krmfn.config import Config
from krmfn.errors import KrmfnError
from krmfn.frozen import Value
from krmfn.function import render
from krmfn.patches import Overrides
from krmfn.report.explanation import explanations
from krmfn.report.outlook import Prospect
from krmfn.requests import check_shape
from krmfn.results import ERROR, Refused
from krmfn.scene import Scene, changed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from krmfn.krm import Item, Package, Ref
    from krmfn.results import Result

    Files = dict[str, bytes]

STREAM = "manifests.yaml"


class Move(Value):
    """One rollout on its way: its commits, and at which of them the package stands (0: before the first)."""

    rollout: "Item"
    commits: tuple[Commit, ...]
    standing: int


class Moving:
    """A package of which every rollout (or the one that the config names) moves over; ``length`` counts the commits.

    ``client_side`` says that the host applies on the client's side, so that null removes a field.
    """

    def __init__(self, package: "Package", config: Config, *, client_side: bool = False) -> None:
        """Ask each dialect. Raises ``Refused`` with everything that says that a release is under way."""
        self.package, self.client_side = _of_files(package), client_side
        self.config = config.replace(target=Overrides(), stable=Overrides(), step="0")
        self.scene = Scene(self.package)
        self.moves = tuple(self._moves())
        self.length = max(len(move.commits) for move in self.moves)
        self._last: Files | None = None

    def files(self, number: int) -> "Files":
        """Return the files after a commit. Raises ``Refused`` where nothing could be released in the end."""
        if self._last is None:
            self._last = self._rendered(self._edited(self.length, ()))
            self._check(krm.read_files(self._last.items()))
        if number >= self.length:
            return self._last
        return self._edited(number, krm.read_files(self._last.items()).items)

    def _check(self, last: "Package") -> None:
        """Refuse to move to where the next release could not begin."""
        config = self.config.replace(step="")
        found, problems = explanations(Prospect(last, config))
        wrong = [*problems, *(result for explanation in found for result in explanation.refused)]
        if wrong:
            raise Refused(_errors(wrong))

    def _moves(self) -> "Iterator[Move]":
        problems: list[KrmfnError] = []
        found = [item for item in self._rollouts() if not self.config.rollout or self.config.means(item.ref)]
        if not found:
            kinds = ", ".join(f"{kind}.{group}" for group, kind in dialects.DIALECTS)
            problems.append(KrmfnError(f"the package has no rollout{_called(self.config)}; add one of {kinds}"))
        for item in found:
            try:
                yield self._move(item)
            except KrmfnError as problem:
                problems += _located(problem, self.package)
        if problems:
            raise Refused(problems)

    def _move(self, item: "Item") -> Move:
        if self.scene.state.release(item.ref):
            raise KrmfnError("is rendered by krmfn already; there is nobody to take it over from", ref=item.ref)
        check_shape(item)
        asked = dialects.adoption(item)
        if asked is None:
            raise KrmfnError("is of a kind for which no way of moving over is known", ref=item.ref)
        marked = str(((item.value.get("metadata") or {}).get("annotations") or {}).get(MARK, ""))
        return Move(item, asked(item, self.scene), int(marked) if marked.isdecimal() else 0)

    def _rollouts(self) -> "Iterator[Item]":
        for api in dialects.DIALECTS:
            for item in self.scene.of_kind(*api):
                if dialects.find(item):
                    yield item

    def _edited(self, number: int, stage: "Iterable[Item]") -> "Files":
        """Return the files after the edits of so many commits, with what they bring along of stage 0."""
        changes: dict[int, tuple[Item, ...]] = {item.mark: () for item in self.scene.added.values()}
        there = {item.ref.key: item for item in stage}
        for move in self.moves:
            done = move.commits[:number]
            items = _after(_unmarked(move.rollout), done, nulls=self.client_side)
            brought = [there[ref.key] for commit in done for ref in commit.brings if ref.key in there]
            rollout = items[move.rollout.mark]
            if 0 < number < len(move.commits):
                rollout = changed(rollout, ("metadata", "annotations", MARK), str(number))
            changes |= {mark: (item,) for mark, item in items.items()}
            new = [krm.new(item.value, path=item.path) for item in brought]
            changes[move.rollout.mark] = (rollout, *new)
        return _present(krm.write_files(self.package, changes))

    def _rendered(self, files: "Files") -> "Files":
        """Return the files at position 0, rollout by rollout."""
        for move in self.moves:
            package = krm.read_files(files.items())
            outcome = render(package, self.config.alone(move.rollout.ref))
            if outcome.failed:
                raise Refused(_errors(outcome.results))
            files = _present({**files, **krm.write_files(package, outcome.changes)})
        return files


def _of_files(package: "Package") -> "Package":
    if package.wire == "files":
        return package
    return krm.read_files([(STREAM, krm.write_stream(list(package.items)))])


def _unmarked(rollout: "Item") -> "Item":
    annotations = (rollout.value.get("metadata") or {}).get("annotations") or {}
    if MARK not in annotations:
        return rollout
    path = ("metadata", "annotations")
    return changed(rollout, (*path, MARK) if len(annotations) > 1 else path, GONE)


def _after(rollout: "Item", done: "tuple[Commit, ...]", *, nulls: bool) -> "dict[int, Item]":
    """Return the author's objects that some commits change, by mark, and the rollout; nulls are the last one's."""
    items: dict[int, Item] = {rollout.mark: rollout}
    for commit in done:
        for edit in commit.edits:
            now = items.get(edit.item.mark, edit.item)
            items[edit.item.mark] = changed(now, edit.path, edit.value, edit.text)
    for item, path in done[-1].nulls if done and nulls else ():
        items[item.mark] = changed(items.get(item.mark, item), path, None)
    return items


def _present(files: "Mapping[str, bytes | None]") -> "Files":
    return {name: data for name, data in files.items() if data is not None}


def _called(config: Config) -> str:
    return f" called {config.rollout}" if config.rollout else ""


def _errors(results: "Iterable[Result]") -> "Iterator[KrmfnError]":
    for result in results:
        if result.severity == ERROR:
            yield KrmfnError(result.message, ref=result.ref, field=result.field, file=result.file)


def _located(problem: KrmfnError, package: "Package") -> "list[KrmfnError]":
    """Return what is wrong, with the file of the object that each is about."""
    found = problem.problems if isinstance(problem, Refused) else [problem]
    for one in found:
        if one.ref is not None and not one.file:
            one.file = _file(one.ref, package)
    return found


def _file(ref: "Ref", package: "Package") -> str:
    return next((item.path for item in package.find(ref.name) if item.ref.key == ref.key), "")
