"""The plan as a table for a terminal: aligned, at most 100 columns wide, in colour where that is wanted."""

import textwrap

from krmfn.report import words
from krmfn.report.waiting import steps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from krmfn.report.difference import Difference
    from krmfn.report.outlook import Outlook

WIDTH = 100
HERE = ">"
HEAD = ("  POSITION", "STABLE", "CANARY", "TO THE CANARY", "PINNED", "BEFORE THE NEXT COMMIT")
# What a column may take before its text is wrapped; the last one takes what is left.
_REQUESTS, _REQUESTS_WIDTH, _LAST_WIDTH = 3, 28, 22
_GAP = "  "
_BOLD, _DIM, _END = "\033[1m", "\033[2m", "\033[0m"
_COLOURS = {"+": "\033[32m", "~": "\033[33m", "-": "\033[31m"}


def table(outlook: "Outlook", *, colour: bool = False) -> str:
    """Return the plan of one rollout as text."""
    paint = _paint if colour else _plain
    lines = [paint(line, _BOLD if not number else "") for number, line in enumerate(_introduction(outlook))]
    rows = [HEAD, *_rows(outlook)]
    widths = _widths(rows)
    lines += ["", *(paint(line, _DIM) for line in _lines(HEAD, widths))]
    for row, commit in zip(rows[1:], outlook.timeline, strict=True):
        lines += [paint(line, _BOLD if row[0].startswith(HERE) else "") for line in _lines(row, widths)]
        for sign, text in _changes(commit.changes or ()):
            lines.append(paint(text, _COLOURS[sign]))
    lines += ["", paint(words.way_back(outlook), _DIM)]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _introduction(outlook: "Outlook") -> "Iterator[str]":
    yield words.title(outlook)
    for fact in words.facts(outlook):
        yield from textwrap.wrap(fact, WIDTH, break_long_words=False, break_on_hyphens=False)


def _rows(outlook: "Outlook") -> "Iterator[tuple[str, ...]]":
    for before, commit in steps(outlook.timeline[0].stage, outlook.timeline):
        stage, position = commit.stage, str(commit.position)
        yield (
            f"{HERE if position == outlook.current else ' '} {position}",
            words.stable(outlook.plan, stage),
            words.canary(outlook.plan, stage),
            words.traffic(stage),
            words.pinned(stage),
            words.waiting(outlook, before, commit),
        )


def _widths(rows: "Sequence[Sequence[str]]") -> list[int]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    widths[_REQUESTS] = min(widths[_REQUESTS], _REQUESTS_WIDTH)
    return [*widths[:-1], max(_LAST_WIDTH, WIDTH - sum(widths[:-1]) - len(_GAP) * len(widths[:-1]))]


def _lines(row: "Sequence[str]", widths: "Sequence[int]") -> "Iterator[str]":
    """Yield the lines of one row: as many as its longest cell needs."""
    cells = [textwrap.wrap(cell, width, break_on_hyphens=False) for cell, width in zip(row, widths, strict=True)]
    for number in range(max(len(cell) for cell in cells)):
        parts = [cell[number] if number < len(cell) else "" for cell in cells]
        yield _GAP.join(part.ljust(width) for part, width in zip(parts, widths, strict=True))


def _changes(found: "Sequence[Difference]") -> "Iterator[tuple[str, str]]":
    for sign, text in words.changes(found):
        lines = textwrap.wrap(text, WIDTH - 8, break_long_words=False, break_on_hyphens=False)
        yield from ((sign, f"      {sign if not number else ' '} {line}") for number, line in enumerate(lines))


def _paint(text: str, colour: str) -> str:
    return f"{colour}{text}{_END}" if colour else text


def _plain(text: str, _: str) -> str:
    return text
