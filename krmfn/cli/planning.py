"""``krmfn plan``: the timeline of a release, for people, for pull requests and for programs."""

import click

from krmfn.cli.differing import in_colour
from krmfn.cli.given import given
from krmfn.cli.options import asks, fails_with, say
from krmfn.hosts import report
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
    """  # noqa: D301 - click looks for the character itself
    asked = given(path, options)
    found, results = outlooks(Prospect(asked.package, asked.config, asked.stable))
    if failed := any(result.severity == ERROR for result in results):
        results = [result for result in results if result.severity == ERROR]
    else:
        say(_shown(found, output).encode())
    report(results)
    return int(failed)


def _shown(found: list[Outlook], form: str) -> str:
    if form == JSON:
        from krmfn.report.document import document

        return document(found)
    if form == MARKDOWN:
        from krmfn.report.markdown import markdown

        return "\n".join(markdown(outlook) for outlook in found)
    from krmfn.report.table import table

    return "\n".join(table(outlook, colour=in_colour()) for outlook in found)
