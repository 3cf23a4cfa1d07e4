"""``krmfn explain``: a rollout in plain words."""

import click

from krmfn.cli.given import given
from krmfn.cli.options import asks, fails_with, say
from krmfn.hosts import report
from krmfn.report.outlook import Prospect

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

TEXT, JSON, MARKDOWN = "text", "json", "markdown"


@click.command()
@click.argument("path")
@asks
@click.option("-o", "--output", type=click.Choice([TEXT, JSON, MARKDOWN]), default=TEXT, help="Default: text.")
@fails_with(1)
def explain(path: str, output: str, **options: "Any") -> int:
    """Say in plain words what the rollouts in PATH will do.

    What is released, between which Services and routes; at each stage which pods run, who gets the requests and what
    has to be true before the next commit; how pods are told apart; what is different from the controller that a rollout
    was written for. What cannot be kept is named, field by field, with what to do instead; then the exit code is 1.

    The new version need not be known: a made-up one stands in for it. Nothing is written.

    \b
    Example:
      krmfn explain ./shop
    """  # noqa: D301 - click looks for the character itself
    from krmfn.report import telling
    from krmfn.report.explanation import explanations

    asked = given(path, options)
    found, problems = explanations(Prospect(asked.package, asked.config, asked.stable))
    if found:
        say({TEXT: telling.text, JSON: telling.document, MARKDOWN: telling.markdown}[output](found).encode())
    report(problems)
    return int(bool(problems) or any(explanation.refused for explanation in found))
