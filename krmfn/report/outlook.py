"""What lies ahead of a rollout: every commit of its release, the ways back to 0, and what each of them changes.

Nothing here is written anywhere: each position is rendered as it would be, and compared with the one before it.
"""

from itertools import pairwise

from krmfn import dialects
from krmfn.config import STEP, TRACKED, Config
from krmfn.errors import KrmfnError
from krmfn.frozen import Value
from krmfn.function import Rendered, render
from krmfn.kinds import REVISIONS
from krmfn.krm import load
from krmfn.plan import COMPLETE, Plan, Position, locate
from krmfn.report.applied import Applied
from krmfn.report.difference import differences, field_changes
from krmfn.results import ERROR, WARNING, Result, errors
from krmfn.stage import Stage, between, divide, timeline

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from krmfn.isolation import Isolation
    from krmfn.krm import Item, Package
    from krmfn.krm.item import Ref
    from krmfn.report.difference import Difference, FieldChange
    from krmfn.view import View


class Commit(Value):
    """One commit: the position it goes to, what stands in Git then, and what it changes (None: not known yet)."""

    position: Position
    stage: Stage
    changes: "tuple[Difference, ...] | None" = None


class Edge(Value):
    """The way from one resting stage to another: ``origin`` is what stands at its start."""

    start: str
    end: str
    origin: Stage
    commits: tuple[Commit, ...]

    @property
    def back(self) -> bool:
        """Tell whether it gives the release up."""
        return self.end == "0"


class Outlook(Value):
    """One rollout: ``view`` is how it looks at 0; ``current`` is where it stands, "" where nobody has said.

    ``known`` says that both revisions are; ``release`` is how their pod templates differ, and ``isolation`` how their
    pods are told apart ("" where that is not known), ``apart`` with its label.
    """

    view: "View"
    current: str
    known: bool
    release: "tuple[FieldChange, ...]"
    isolation: str
    notes: tuple[str, ...]
    timeline: tuple[Commit, ...]
    edges: tuple[Edge, ...]
    apart: "Isolation | None" = None

    @property
    def plan(self) -> Plan:
        """What the author asked for."""
        return self.view.plan


class Prospect(Value):
    """What an outlook is made from."""

    package: "Package"
    config: Config
    stable: "Package | None" = None


def outlooks(prospect: Prospect) -> "tuple[list[Outlook], list[Result]]":
    """Return what lies ahead of each rollout (or the one that the config names), and all errors and warnings once."""
    asked = rollouts(prospect)
    applied = Applied(prospect.package)
    found: list[Outlook] = []
    findings: dict[Result, None] = {}
    for item in asked:
        outlook, results = _Looking(prospect, item, applied).outlook()
        found += [outlook] if outlook else []
        findings.update(dict.fromkeys(results))
    if not asked:
        findings.update(dict.fromkeys(render(prospect.package, prospect.config.replace(step="0")).results))
    return found, list(findings)


class _Looking:
    """Renders one rollout at one position after the other; the others of the package stay where they stand."""

    def __init__(self, prospect: Prospect, rollout: "Item", applied: Applied) -> None:
        self.prospect, self.applied = prospect, applied
        self.rollout = rollout
        self.config = prospect.config.alone(rollout.ref).replace(retarget=True)
        self.rendered: dict[str, Rendered] = {}
        self.problems: list[Result] = []

    def outlook(self) -> "tuple[Outlook | None, list[Result]]":
        """Return what lies ahead; None, and the errors, where the rollout cannot be rendered."""
        view = self._view("0")
        if view is None:
            return None, self._results()
        if view.isolation.mode == TRACKED:
            # Stage 0 comes first, and stamps the pods.
            self.config = self.config.replace(adopted=True)
        plan, known = view.plan, view.revisions.differ
        try:
            commits = tuple(self._commits(view, list(timeline(plan, view.stage.stable)), known=known))
            edges = tuple(self._edges(view, known=known))
        except KrmfnError as problem:
            return None, [*errors(problem), *self._results()]
        first = self._view(str(commits[1].position)) if known else None
        found = Outlook(
            view=view,
            current=self._current(view),
            known=known,
            release=field_changes(load(view.revisions.stable), load(view.revisions.target)) if known else (),
            isolation=first.isolation.mode if first else view.isolation.mode,
            notes=tuple(_notes(view)),
            timeline=commits,
            edges=edges,
            apart=first.isolation if first else None,
        )
        results = self._results()
        return (None if any(result.severity == ERROR for result in results) else found), results

    def _edges(self, view: "View", *, known: bool) -> "Iterator[Edge]":
        """Yield the edges of the timeline, then the ways back to 0 from where pods of both sides may run."""
        rests = view.plan.rests
        ahead = list(pairwise(rests))
        back = [(rest, "0") for rest in rests[1:-2]]
        for start, end in (*ahead, *back):
            total = view.stage.stable
            positions = [Position(start, start), *between(view.plan, start, end, total), Position(end, end)]
            commits = tuple(self._commits(view, positions, known=known))
            yield Edge(start, end, commits[0].stage, commits[1:])

    def _commits(self, view: "View", positions: list[Position], *, known: bool) -> "Iterator[Commit]":
        """Yield a commit for each position; the first one is where the others start from, and changes nothing."""
        for before, now in pairwise([positions[0], *positions]):
            stage = divide(view.plan, now, view.stage.stable)
            changes = None
            if known:
                changes = differences(self.applied, self._at(str(before)), self._at(str(now)))
            yield Commit(now, stage, changes)

    def _at(self, position: str) -> Rendered:
        """Render a position, once."""
        if position not in self.rendered:
            config = self.config.replace(step=position)
            self.rendered[position] = render(self.prospect.package, config, self.prospect.stable)
        return self.rendered[position]

    def _view(self, position: str) -> "View | None":
        views = self._at(position).views
        return next((view for view in views if view.plan.rollout.key == self.rollout.ref.key), None)

    def _results(self) -> list[Result]:
        """Return errors and warnings, but not what is said about a jump from where the rollout stands: nobody jumps."""
        found = [result for outcome in self.rendered.values() for result in outcome.results]
        own = self.rollout.ref.key
        return [r for r in found if r.severity == ERROR or (r.severity == WARNING and (r.field or not _is(r.ref, own)))]

    def _current(self, view: "View") -> str:
        """Return where the rollout stands: by the state, else by what was asked for before anything was rendered."""
        release = view.scene.state.release(view.plan.rollout)
        if release and view.revisions.new and view.revisions.differ:
            return ""
        annotations = (self.rollout.value.get("metadata") or {}).get("annotations") or {}
        text = release.position if release else self.prospect.config.step or str(annotations.get(STEP, ""))
        try:
            return str(locate(text, view.plan.rests)) if text else ""
        except KrmfnError:
            return ""


def rollouts(prospect: Prospect) -> "list[Item]":
    """Return the rollouts of the package, or the one that the config names."""
    config, package = prospect.config, prospect.package
    there = ((item, api) for api in dialects.DIALECTS for item in package.find(*api))
    found = [item for item, api in there if (item.ref.group, item.ref.kind) == api and dialects.find(item)]
    return [item for item in found if not config.rollout or config.means(item.ref)]


def _is(ref: "Ref | None", key: tuple[str, str, str, str]) -> bool:
    return ref is not None and ref.key == key


def _notes(view: "View") -> "Iterator[str]":
    release = view.scene.state.release(view.plan.rollout)
    if not view.revisions.differ:
        yield "The target is not known yet: there is one revision of the workload, so the changes are left out."
    if release and view.revisions.new and view.revisions.differ and release.position not in ("0", COMPLETE):
        yield f"The package stands at {release.position} for another version than this target."
    if view.isolation.mode == TRACKED and not (release and release.adopted) and view.stamps:
        what = "pods of the workload, at the price of one rolling restart"
        if view.plan.style == REVISIONS:
            what = "running revision with a name, at the price of one more of the same content"
        yield f"Position 0 stamps the {what}."
