"""One workload that is moved in place: some of its pods stay on the old version, behind a border or in a revision."""

from krmfn.changes import GONE, at
from krmfn.errors import KrmfnError
from krmfn.kinds import TWIN, WORKLOADS
from krmfn.revisions import TEMPLATE
from krmfn.view import Edited, View

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


def render(view: View) -> "Iterator[Edited]":
    """Yield the template and the border. Raises KrmfnError where the author has moved the border already."""
    if view.plan.style == TWIN:
        return
    template = view.stage.template
    yield Edited(view.workload, TEMPLATE, view.template(template), view.stamped_text(template))
    path = WORKLOADS[view.workload.ref.group, view.workload.ref.kind].partition
    if view.stage.canary and path:
        _check(view, path)
        yield Edited(view.workload, path, border(view))


def border(view: View) -> int | str:
    """Return how many pods stay on the old version: a share where the step says one and it comes to that number.

    A share keeps the proportions under an autoscaler. Written in whole percents it misses the number by one or more
    where there are more than a hundred pods; there the number itself is written.
    """
    old, total = view.stage.stable, view.stage.stable + (view.stage.canary or 0)
    step = view.plan.step_at(view.position.end) or view.plan.step_at(view.position.start)
    row = WORKLOADS[view.workload.ref.group, view.workload.ref.kind]
    share = 100 * old // total
    if row.percent and step and step.pods.percent and -(-share * total // 100) == old:
        return f"{share}%"
    return old


def _check(view: View, path: tuple[str, ...]) -> None:
    own = at(view.workload.value, path)
    if own not in (GONE, None, 0, "0%"):
        message = f"is {own!r} already; the release moves it, so remove it from the author's manifest"
        raise KrmfnError(message, ref=view.workload.ref, field=".".join(path), file=view.workload.path)
    strategy = at(view.workload.value, ("spec", "updateStrategy", "type"))
    if strategy == "OnDelete":
        message = "is OnDelete, so pods take the new version only when somebody deletes them; use RollingUpdate"
        raise KrmfnError(message, ref=view.workload.ref, field="spec.updateStrategy.type", file=view.workload.path)
