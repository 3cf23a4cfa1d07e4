"""``krmfn plan``: the timeline of a release, for people, for pull requests and for programs."""

import click

from krmfn.cli.differing import coloured, in_colour
from krmfn.cli.given import given
from krmfn.cli.options import asks, fails_with, say
from krmfn.hosts import report
from krmfn.report import ahead
from krmfn.report.outlook import Outlook, Prospect, outlooks
from krmfn.results import ERROR

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

TABLE, JSON, MARKDOWN = "table", "json", "markdown"


@click.command()
@click.argument("path")
@asks
@click.option("-o", "--output", type=click.Choice([TABLE, JSON, MARKDOWN]), default=TABLE, help="Default: table.")
@click.option("--diff", is_flag=True, help="Add what the next commit changes, as a diff; for table and markdown.")
@fails_with(1)
def plan(path: str, output: str, **options: "Any") -> int:
    """Show every commit of a release, in order.

    For each: how many pods both sides have, which requests the canary gets, whether each Service reaches one side only,
    what has to be true before the next commit, and which objects change. The position where the package stands is
    marked. Without a second revision the timeline is shown without the objects.

    -o json also has the ways back to 0, and says for every edge what to wait for; -o markdown is for a pull request.

    \b
    Example:
      krmfn plan ./shop --image shop=registry.example.com/shop:1.1
      krmfn plan ./shop -o markdown --diff
    """  # noqa: D301 - click looks for the character itself
    if options["diff"] and output == JSON:
        raise click.UsageError("--diff is for table and markdown; -o json says what each commit changes")
    asked = given(path, options)
    found, results = outlooks(Prospect(asked.package, asked.config, asked.stable))
    if failed := any(result.severity == ERROR for result in results):
        results = [result for result in results if result.severity == ERROR]
    else:
        say(_shown(found, output, diff=options["diff"]).encode())
    report(results)
    return int(failed)


def _shown(found: list[Outlook], form: str, *, diff: bool) -> str:
    if form == JSON:
        from krmfn.report.document import document

        return document(found)
    if form == MARKDOWN:
        from krmfn.report.markdown import markdown

        return "\n".join(markdown(o) + (f"\n{ahead.folded(o)}" if diff else "") for o in found)
    from krmfn.report.table import table

    return "\n".join(table(o, colour=in_colour()) + (_next(o) if diff else "") for o in found)


def _next(outlook: Outlook) -> str:
    paint = coloured if in_colour() else str
    return "".join(f"{paint(line)}\n" for line in ("", *ahead.lines(outlook)))
