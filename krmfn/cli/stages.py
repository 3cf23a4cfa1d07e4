"""``krmfn render --all-stages``: every stage of a release in a folder of its own, and an index of them."""

from krmfn.config import TRACKED
from krmfn.errors import KrmfnError
from krmfn.function import render
from krmfn.report.document import index
from krmfn.report.outlook import Prospect, outlooks, rollouts
from krmfn.results import ERROR, Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from krmfn.cli.given import Given
    from krmfn.function import Rendered
    from krmfn.report.outlook import Outlook
    from krmfn.results import Result

INDEX = "index.json"


def stages(
    asked: "Given", files: "Callable[[Rendered], Mapping[str, bytes]]"
) -> "tuple[dict[str, bytes], list[Result]]":
    """Return every file of every stage, by name, and what there is to say; no file where any of it is an error.

    ``files`` says what is written of one stage. Raises KrmfnError where the package has several rollouts.
    """
    prospect = Prospect(asked.package, asked.config, asked.stable)
    if len(there := rollouts(prospect)) > 1:
        names = ", ".join(str(item.ref).partition(" ")[2] for item in there)
        raise KrmfnError(f"all stages of which rollout? the package has {names}; say one with --rollout")
    found, results = outlooks(prospect)
    if any(result.severity == ERROR for result in results):
        return {}, [result for result in results if result.severity == ERROR]
    if not found:
        raise KrmfnError(f"{there[0].ref} has no stages to render: it is disabled")
    return _every(asked, found[0], files), results


def _every(
    asked: "Given", outlook: "Outlook", files: "Callable[[Rendered], Mapping[str, bytes]]"
) -> "dict[str, bytes]":
    stamped = outlook.isolation == TRACKED
    config = asked.config.alone(outlook.plan.rollout).replace(retarget=True)
    folders = {text: text.replace(">", "-to-").replace("/", "-") for text in _positions(outlook)}
    written: dict[str, bytes] = {INDEX: index(outlook, folders).encode()}
    for text, folder in folders.items():
        at = config.replace(step=text, adopted=config.adopted or (stamped and text != "0"))
        outcome = render(asked.package, at, asked.stable)
        _check(outcome.results)
        written |= {f"{folder}/{name}": data for name, data in files(outcome).items()}
    return written


def _positions(outlook: "Outlook") -> "list[str]":
    """Return the commits of the release, then those of the ways back, each once."""
    back = [commit for edge in outlook.edges if edge.back for commit in edge.commits]
    ahead = [commit for edge in outlook.edges if not edge.back for commit in edge.commits]
    return list(dict.fromkeys(str(commit.position) for commit in (*outlook.timeline, *ahead, *back)))


def _check(results: "Iterable[Result]") -> None:
    """Raise where a stage cannot be rendered."""
    wrong = [result for result in results if result.severity == ERROR]
    if wrong:
        raise Refused(KrmfnError(r.message, ref=r.ref, field=r.field, file=r.file) for r in wrong)
