"""The plan as Markdown, for a pull request: a chart of the resting stages (Mermaid) and a table of all commits."""

import re

from krmfn.report import words
from krmfn.report.waiting import steps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from krmfn.plan import Plan
    from krmfn.report.outlook import Commit, Outlook

HEAD = (
    "",
    "Position",
    "Stable pods",
    "Canary pods",
    "Requests to the canary",
    "Pinned",
    "Before the next commit",
    "Changes",
)
_SPECIAL = re.compile(r"([\\`*_\[\]<>|~])")


def markdown(outlook: "Outlook") -> str:
    """Return the plan of one rollout as text."""
    facts = "".join(f"- {escaped(fact)}\n" for fact in words.facts(outlook))
    parts = [
        f"## {escaped(words.title(outlook))}\n",
        facts,
        "```mermaid\n" + "".join(f"{line}\n" for line in _chart(outlook)) + "```\n",
        "".join(f"| {' | '.join(row)} |\n" for row in (HEAD, ("---",) * len(HEAD), *_rows(outlook))),
        f"{escaped(words.way_back(outlook))}\n",
    ]
    return "\n".join(part for part in parts if part)


def _chart(outlook: "Outlook") -> "Iterator[str]":
    """Yield the lines of a flow chart: a box for each resting stage, the gate on the arrow to the next one."""
    rests = [commit for commit in outlook.timeline if commit.position.rests]
    here = [str(commit.position) for commit in rests].index(outlook.current) if _stands_at(outlook, rests) else -1
    yield "flowchart LR"
    for number, commit in enumerate(rests):
        yield f'  s{number}["{_box(outlook.plan, commit)}"]{":::current" if number == here else ""}'
    for number, commit in enumerate(rests[:-1]):
        gate = words.gate(outlook.plan, commit.position)
        yield f"  s{number} -->{f'|{gate}|' if gate else ''} s{number + 1}"
    if here >= 0:
        yield "  classDef current stroke-width:4px,font-weight:bold"


def _stands_at(outlook: "Outlook", rests: "list[Commit]") -> bool:
    return any(str(commit.position) == outlook.current for commit in rests)


def _box(plan: "Plan", commit: "Commit") -> str:
    stage = commit.stage
    pods = words.stable(plan, stage) + (f" + {words.canary(plan, stage)}" if stage.canary is not None else "")
    share = f"<br/>{_label(words.traffic(stage))}" if stage.canary is not None else ""
    return f"<b>{commit.position}</b><br/>{pods}{share}"


def _label(text: str) -> str:
    """Write a text so that Mermaid takes no character of it for its own; there, a code is a number between # and ;."""
    return "".join(c if c.isalnum() or c in " %.,-/" else f"#{ord(c)};" for c in text)


def _rows(outlook: "Outlook") -> "Iterator[tuple[str, ...]]":
    for before, commit in steps(outlook.timeline[0].stage, outlook.timeline):
        stage, here = commit.stage, str(commit.position) == outlook.current
        position = f"`{commit.position}`"
        yield (
            "➤" if here else " ",
            f"**{position}**" if here else position,
            words.stable(outlook.plan, stage),
            words.canary(outlook.plan, stage),
            escaped(words.traffic(stage)),
            words.pinned(stage),
            words.waiting(outlook, before, commit),
            "<br>".join(f"{escaped(sign)} {escaped(text)}" for sign, text in words.changes(commit.changes or ())),
        )


def escaped(text: str) -> str:
    """Escape what Markdown would take for its own."""
    return _SPECIAL.sub(r"\\\1", text).replace("\n", " ")
