"""``krmfn explain``: a rollout in plain words."""

import click

from krmfn import krm
from krmfn.cli.given import given
from krmfn.cli.options import asks, fails_with, say
from krmfn.errors import KrmfnError
from krmfn.hosts import report
from krmfn.report.outlook import Prospect

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from krmfn.cli.given import Given
    from krmfn.report.explanation import Explanation

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

    The new version need not be known: a made-up one stands in for it. Nothing is written. Where moving over from a
    controller is what is missing, the explanation is of the package after `krmfn adopt`, and says so.

    \b
    Example:
      krmfn explain ./shop
    """  # noqa: D301 - click looks for the character itself
    from krmfn.report import telling
    from krmfn.report.explanation import explanations

    asked = given(path, options)
    found, problems = explanations(Prospect(asked.package, asked.config, asked.stable))
    found = [_moved(one, asked) if one.refused else one for one in found]
    if found:
        say({TEXT: telling.text, JSON: telling.document, MARKDOWN: telling.markdown}[output](found).encode())
    report(problems)
    return int(bool(problems) or any(explanation.refused for explanation in found))


def _moved(explanation: "Explanation", asked: "Given") -> "Explanation":
    """Return what a rollout will be once its controller is gone, where that is all that stands in the way."""
    from krmfn.moving import Moving
    from krmfn.report.explanation import Section, explanations
    from krmfn.report.sentences import Entry

    config = asked.config.alone(explanation.rollout)
    try:
        moving = Moving(asked.package, config)
        last = krm.read_files(moving.files(moving.length).items())
    except KrmfnError:
        return explanation
    then = explanations(Prospect(last, config))[0][0]
    if then.refused:
        return explanation
    says = (
        "By what stands here, a controller runs this now.",
        f"`krmfn adopt {asked.path}` moves it over, in {moving.length} commits, and changes what is named at the end.",
        "Everything else is about the package after them.",
    )
    named = [section.replace(title="What moving over changes first") for section in explanation.sections[-1:]]
    own = Section("moving", "Who runs it now", (Entry("", says),))
    return explanation.replace(sections=(own, *then.sections, *named))
