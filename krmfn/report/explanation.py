"""What a rollout will do and what cannot be kept of it: sections of plain sentences, whatever its dialect.

It is read off the plan, the stages and the findings, so a new dialect needs nothing here. Where the new version is not
known yet a made-up one takes its place: then every stage can be looked at, and whatever a stage would refuse is found.
"""

from krmfn.changes import at
from krmfn.frozen import Value
from krmfn.function import render
from krmfn.isolation import VERSIONS, labels
from krmfn.kinds import REVISIONS
from krmfn.patches import Overrides
from krmfn.report import sentences
from krmfn.report.outlook import Outlook, Prospect, outlooks, rollouts
from krmfn.results import ERROR, INFO, Result

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from krmfn.krm import Item
    from krmfn.krm.item import Manifest, Ref
    from krmfn.report.sentences import Entry
    from krmfn.view import View

MARK = "krmfn.dev/explained"
NEXT = "new"


class Section(Value):
    """One question about a rollout, and the answer: ``name`` is for programs, ``title`` for people."""

    name: str
    title: str
    entries: "tuple[Entry, ...]"


class Explanation(Value):
    """Everything there is to say about one rollout; ``refused`` is why it cannot be released, empty where it can."""

    rollout: "Ref"
    outlook: Outlook | None
    sections: tuple[Section, ...]
    refused: tuple[Result, ...] = ()


def explanations(prospect: Prospect) -> "tuple[list[Explanation], list[Result]]":
    """Return one for each rollout (or the one that the config names), and errors where there is none to explain."""
    there = rollouts(prospect)
    if not there:
        outcome = render(prospect.package, prospect.config.replace(step="0"))
        return [], [result for result in outcome.results if result.severity == ERROR]
    others = {item.ref.key for item in there}
    return [_explanation(prospect, item, others - {item.ref.key}) for item in there], []


def _explanation(prospect: Prospect, item: "Item", others: "set[tuple[str, str, str, str]]") -> Explanation:
    alone = prospect.replace(config=prospect.config.alone(item.ref))
    outlook, results = _looked(alone)
    known = outlook is None or outlook.known
    if outlook and not known:
        tried, results = _looked(alone.replace(config=alone.config.replace(target=_made_up(outlook.view))))
        outlook = _nameless(tried) if tried else outlook
    own = [result for result in results if result.ref is None or result.ref.key not in others]
    refused = tuple(result for result in own if result.severity == ERROR)
    warnings = [result for result in own if result.severity != ERROR]
    found = tuple(_sections(item.ref, None if refused else outlook, (refused, warnings), known=known))
    return Explanation(item.ref, outlook, found, refused)


def _nameless(outlook: Outlook) -> Outlook:
    """Return it without the name of a revision that was made up."""
    if outlook.plan.style != REVISIONS or outlook.apart is None:
        return outlook
    return outlook.replace(apart=outlook.apart.replace(canary=""))


def _looked(prospect: Prospect) -> "tuple[Outlook | None, list[Result]]":
    found, results = outlooks(prospect)
    if not found and not results:
        idle = render(prospect.package, prospect.config.replace(step="0")).results
        return None, [result for result in idle if result.severity == INFO]
    return (found[0] if found else None), results


def _made_up(view: "View") -> Overrides:
    """Return what makes another version of the workload: a mark, and another value of a version label that it has."""
    pods = labels(at(view.workload.value, ("spec", "template")))
    metadata: Manifest = {"annotations": {MARK: NEXT}}
    if versions := {key: NEXT for key in VERSIONS if key in pods}:
        metadata["labels"] = versions
    return Overrides(patches=({"spec": {"template": {"metadata": metadata}}},))


def _sections(
    rollout: "Ref", outlook: Outlook | None, found: "tuple[tuple[Result, ...], list[Result]]", *, known: bool
) -> "Iterator[Section]":
    refused, warnings = found
    remarks = [*(outlook.plan.remarks if outlook else ()), *warnings]
    if outlook:
        yield Section("released", "What is released", tuple(sentences.released(outlook)))
        yield Section("requests", "Which requests are divided, and where", tuple(sentences.requests(outlook)))
        yield Section("stages", "What each stage does", tuple(sentences.stages(outlook)))
        yield Section("pods", "How the pods are told apart", tuple(sentences.apart(outlook, known=known)))
    if remarks:
        said = tuple(dict.fromkeys(sentences.finding(remark, rollout) for remark in remarks))
        yield Section("differs", "What is different here", said)
    if refused:
        said = tuple(dict.fromkeys(sentences.finding(problem, rollout) for problem in refused))
        yield Section("refused", "What cannot be kept, and what to do instead", said)
