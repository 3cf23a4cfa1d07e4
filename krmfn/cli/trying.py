"""``krmfn test-lua``: scripts that divide traffic, held to the cases that stand beside them."""

import click

from krmfn.cases import BARE, FAILED, KEPT, Verdict, verdicts
from krmfn.cli.differing import coloured, in_colour
from krmfn.cli.options import fails_with, say

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_COLOURS = {KEPT: "32", FAILED: "1;31", BARE: "33"}
_WIDTH = max(map(len, _COLOURS))


@click.command("test-lua")
@click.argument("directory", metavar="DIR", type=click.Path(exists=True, file_okay=False))
@fails_with(1)
def test_lua(directory: str) -> int:
    """Run the cases of all scripts in DIR and below.

    A case says what an object has to become. It stands beside its script, in one of these layouts:

    \b
      <group>/<Kind>/trafficRouting.lua      with testdata/*.yaml: rollout or trafficRouting,
      trafficrouting_ingress/<class>.lua     original, and expected, one object for each step
      <group>/<Kind>[/<class>]/render.lua    with cases/*.yaml: promise, given, stage, expected or refused

    Each case is a line, and each step that is not as expected a unified diff. The exit code is 1 where a case fails, or
    none was found for any script.

    \b
    Example:
      krmfn test-lua ./shop/lua
    """  # noqa: D301 - click looks for the character itself
    found = []
    for verdict in verdicts(directory):
        found.append(verdict)
        say("".join(f"{line}\n" for line in _lines(verdict)).encode())
    if not found:
        raise click.UsageError(f"{directory}: there is no script in this folder; see krmfn test-lua --help")
    say(f"{_summary(found)}\n".encode())
    outcomes = {verdict.outcome for verdict in found}
    return int(FAILED in outcomes or KEPT not in outcomes)


def _lines(verdict: Verdict) -> "Iterable[str]":
    label = verdict.outcome.ljust(_WIDTH)
    if in_colour():
        label = f"\033[{_COLOURS[verdict.outcome]}m{label}\033[0m"
    yield f"{label}  {verdict.path}{': ' if verdict.says else ''}{verdict.says}"
    yield from (coloured(line) if in_colour() else line for line in verdict.details)


def _summary(found: "Iterable[Verdict]") -> str:
    counts = dict.fromkeys(_COLOURS, 0)
    for verdict in found:
        counts[verdict.outcome] += 1
    cases = counts[KEPT] + counts[FAILED]
    bare = f"; {counts[BARE]} script{'s have' if counts[BARE] != 1 else ' has'} no case" if counts[BARE] else ""
    return f"{cases} case{'s' if cases != 1 else ''}: {counts[KEPT]} ok, {counts[FAILED]} failed{bare}"
