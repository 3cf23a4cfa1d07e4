"""The pipeline on one page: gather, plan, divide, render, place.

``render`` is a pure function: the same package and the same request give the same bytes.
"""

from krmfn import renderers
from krmfn import state as states
from krmfn.errors import KrmfnError
from krmfn.frozen import Value
from krmfn.kinds import FLUX
from krmfn.place import Placement
from krmfn.record import recorded
from krmfn.remarks import remarks
from krmfn.requests import requests
from krmfn.results import Refused, Result, errors
from krmfn.scene import Scene
from krmfn.settle import viewed
from krmfn.view import View

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from krmfn.config import Config
    from krmfn.krm import Item, Package
    from krmfn.view import Added, Edited


class Rendered(Value):
    """The outcome: for each mark of the package where something changed, the items that stand there now; and findings.

    ``failed`` means that nothing may be written: the package stays as it was.
    """

    changes: "dict[int, tuple[Item, ...]]"
    results: tuple[Result, ...]
    views: tuple[View, ...] = ()
    failed: bool = False


def render(package: "Package", config: "Config", stable: "Package | None" = None) -> Rendered:
    """Render every rollout of a package at its position; ``stable`` holds manifests of what runs now, if given."""
    try:
        scene = Scene(package)
        asked, findings = requests(scene, config)
        placement, views, problems = Placement(scene), [], []
        for request in asked:
            try:
                view = viewed(scene, request, config, stable)
                findings += [*remarks(view), *placement.take(_outputs(view, config), view)]
                for item in (request.rollout, *filter(None, map(scene.lookup, request.plan.reads))):
                    placement.set_apart(item)
                views.append(view)
            except KrmfnError as problem:
                problems.append(problem)
        if problems:
            raise Refused(problems)
        if views:
            placement.keep(states.write(placement.state(recorded(view) for view in views)), asked[0].rollout)
        return Rendered(placement.changes(), (*findings, *placement.departures()), tuple(views))
    except KrmfnError as problem:
        return Rendered({}, tuple(_located(result, package) for result in errors(problem)), failed=True)


def _outputs(view: View, config: "Config") -> "Iterator[Added | Edited | Result]":
    if config.ordering in ("", FLUX):
        return renderers.render(view)
    from krmfn.ordering import waves

    return waves(renderers.render(view), view)


def _located(result: Result, package: "Package") -> Result:
    """Return the finding with the file of the object that it is about."""
    if result.file or result.ref is None:
        return result
    found = next((item for item in package.find(result.ref.name) if item.ref.key == result.ref.key), None)
    return result.replace(file=found.path, index=found.index) if found else result
