"""An explanation as text for a terminal, as Markdown, and as JSON."""

import textwrap

from krmfn.config import API_VERSION
from krmfn.report.markdown import escaped

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Any

    from krmfn.krm.item import Ref
    from krmfn.report.explanation import Explanation, Section
    from krmfn.report.sentences import Entry

KIND = "Explanation"
WIDTH = 100
# A name that is longer stands on a line of its own.
_LABEL = 12


def text(found: "Iterable[Explanation]") -> str:
    """Return explanations for a terminal, at most 100 columns wide."""
    return "\n".join("\n".join([f"{one.rollout}", *_lines(one)]) + "\n" for one in found)


def _lines(explanation: "Explanation") -> "Iterator[str]":
    for section in explanation.sections:
        yield ""
        yield section.title
        label = max((len(entry.label) for entry in section.entries if len(entry.label) <= _LABEL), default=0)
        for entry in section.entries:
            yield from _entry(entry, label)


def _entry(entry: "Entry", width: int) -> "Iterator[str]":
    indent = "  " + (" " * (width + 2) if width else "")
    said = " ".join(entry.says)
    if len(entry.label) > _LABEL:
        yield f"  {entry.label}"
        yield from _wrapped(said, "    ", "    ")
        return
    yield from _wrapped(said, f"  {entry.label.ljust(width)}  " if width else "  ", indent)


def _wrapped(said: str, first: str, indent: str) -> "list[str]":
    return textwrap.wrap(
        said, WIDTH, initial_indent=first, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def markdown(found: "Iterable[Explanation]") -> str:
    """Return explanations for a pull request or a wiki."""
    return "\n".join(
        f"## {escaped(str(one.rollout))}\n" + "".join(_section(section) for section in one.sections) for one in found
    )


def _section(section: "Section") -> str:
    return f"\n### {section.title}\n\n" + "".join(_item(entry) for entry in section.entries)


def _item(entry: "Entry") -> str:
    label = f"**{escaped(entry.label)}**: " if entry.label else ""
    return f"- {label}{escaped(' '.join(entry.says))}\n"


def document(found: "Iterable[Explanation]") -> str:
    """Return explanations as JSON; within v1alpha1 fields may be added, and none changes or goes."""
    import json

    whole = {"apiVersion": API_VERSION, "kind": KIND, "rollouts": [_rollout(one) for one in found]}
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


def _rollout(explanation: "Explanation") -> "dict[str, Any]":
    return {
        "rollout": _ref(explanation.rollout),
        "releasable": explanation.outlook is not None and not explanation.refused,
        "sections": {section.name: _entries(section.entries) for section in explanation.sections},
        "refused": [result.manifest() for result in explanation.refused],
    }


def _entries(entries: "Sequence[Entry]") -> "list[dict[str, Any]]":
    return [{"about": entry.label, "says": list(entry.says)} for entry in entries]


def _ref(ref: "Ref") -> "dict[str, str]":
    place = {"namespace": ref.namespace} if ref.namespace else {}
    return {"apiVersion": ref.api_version, "kind": ref.kind, **place, "name": ref.name}
