"""``krmfn render``: the manifests of one position, on standard output, into a folder, or back where they came from."""

import os

import click

from krmfn import folder, krm
from krmfn.cli.given import STDIN, Given, given
from krmfn.cli.listing import unlisted
from krmfn.cli.options import asks, asks_step, fails_with, say
from krmfn.errors import KrmfnError
from krmfn.function import Rendered
from krmfn.function import render as rendered
from krmfn.hosts import report
from krmfn.report.applied import Applied, manifests

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from krmfn.results import Result


@click.command()
@click.argument("path")
@asks_step
@asks
@click.option(
    "-o", "--output", metavar="DIR", help="Write files into DIR, named as they came, instead of standard output."
)
@click.option("--one-per-file", is_flag=True, help="With -o: one object a file, such as deployment-web.yaml.")
@click.option(
    "--in-place", is_flag=True, help="Write back to the files of PATH, and keep the rollout and its state there."
)
@fails_with(1)
def render(path: str, **options: "Any") -> int:
    """Render the manifests in PATH at one position of their rollout.

    PATH is a file, a folder (*.yaml, *.yml and *.json, at any depth; hidden files and what .krmignore names are left
    out), or - for standard input. A RolloutStep in PATH says the defaults, and options win over it.

    Written to standard output or DIR, the manifests are what a cluster is to have: the rollout, the state and the
    configuration of tools are left out. Files that an earlier run wrote into DIR and that no longer belong are removed.
    Findings are on standard error. The exit code is 1, and nothing is written, when anything is wrong.

    \b
    Example:
      krmfn render ./shop --step 2 --image shop=registry.example.com/shop:1.1 -o ./rendered
    """  # noqa: D301 - click looks for the character itself
    _check(path, options)
    asked = given(path, options)
    outcome = rendered(asked.package, asked.config, asked.stable)
    remarks = [] if outcome.failed else _write(asked, outcome, options)
    report([*outcome.results, *remarks])
    return int(outcome.failed)


def _check(path: str, options: "dict[str, Any]") -> None:
    """Refuse options that contradict each other."""
    if options["in_place"] and options["output"]:
        raise click.UsageError(
            "--in-place and -o exclude each other: files go back to where they came from, or elsewhere"
        )
    if options["in_place"] and path == STDIN:
        raise click.UsageError("--in-place needs files; standard input has none")
    if options["one_per_file"] and not options["output"]:
        raise click.UsageError("--one-per-file needs -o DIR")


def _write(asked: Given, outcome: Rendered, options: "dict[str, Any]") -> "list[Result]":
    """Write everything, and return what there is to say about where it went."""
    if options["in_place"]:
        top = asked.path if os.path.isdir(asked.path) else os.path.dirname(asked.path) or "."
        written = krm.write_files(asked.package, outcome.changes)
        folder.rewrite(top, written)
        return list(unlisted(asked.package, outcome, written))
    changes = Applied(asked.package).changes(outcome)
    items = manifests(asked.package, changes)
    if not items:
        raise KrmfnError("nothing is left to write: no object of the package goes into a cluster")
    if not options["output"]:
        say(krm.write_stream(items))
    elif options["one_per_file"]:
        files = {name: krm.write_stream([item]) for name, item in folder.one_per_file(items).items()}
        folder.into(options["output"], files, asked.path)
    else:
        folder.into(options["output"], _as_they_came(asked, changes), asked.path)
    return []


def _as_they_came(asked: Given, changes: "Any") -> dict[str, bytes]:
    """Return the files that hold an object, by name; one for all where they came by standard input."""
    if asked.path == STDIN:
        return {"manifests.yaml": krm.write_stream(manifests(asked.package, changes))}
    filled = {item.path for item in manifests(asked.package, changes)}
    files = krm.write_files(asked.package, changes)
    return {name: data for name, data in files.items() if data is not None and name in filled}
