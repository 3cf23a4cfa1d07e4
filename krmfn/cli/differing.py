"""``krmfn diff``: what changes between two positions."""

import os
import sys

import click

from krmfn.cli.given import given
from krmfn.cli.options import asks, fails_with, say
from krmfn.function import render
from krmfn.hosts import report
from krmfn.report.applied import Applied
from krmfn.report.difference import differences, unified
from krmfn.results import ERROR

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

TROUBLE = 2
_COLOURS = {"-": "31", "+": "32", "@": "36"}


@click.command("diff")
@click.argument("path")
@click.argument("one", metavar="A")
@click.argument("other", metavar="B")
@asks
@fails_with(TROUBLE)
def diff(path: str, one: str, other: str, **options: "Any") -> int:
    """Show what changes between the positions A and B.

    The output is a unified diff, object by object, of what a cluster is to have at A and at B. The exit code is 0 where
    both are the same, 1 where they differ and 2 where something is wrong, as diff and `kubectl diff` have it.

    \b
    Example:
      krmfn diff ./shop 1 2 --image shop=registry.example.com/shop:1.1
    """  # noqa: D301 - click looks for the character itself
    asked = given(path, options)
    # Nothing is written, so nobody has to say that a new version may stand at either position.
    configs = [asked.config.replace(step=step, retarget=True) for step in (one, other)]
    outcomes = [render(asked.package, config, asked.stable) for config in configs]
    if any(outcome.failed for outcome in outcomes):
        report(dict.fromkeys(r for o in outcomes for r in o.results if r.severity == ERROR))
        return TROUBLE
    found = differences(Applied(asked.package), outcomes[0], outcomes[1])
    lines = [line for difference in found for line in unified(difference, (one, other))]
    say("".join(f"{coloured(line) if in_colour() else line}\n" for line in lines).encode())
    return int(bool(found))


def in_colour() -> bool:
    """Tell whether standard output is a terminal whose owner has nothing against colours."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def coloured(line: str) -> str:
    """Return a line of a unified diff in its colour."""
    colour = "1" if line.startswith(("--- ", "+++ ")) else _COLOURS.get(line[:1], "")
    return f"\033[{colour}m{line}\033[0m" if colour else line
