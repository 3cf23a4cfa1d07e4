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
from krmfn.kinds import FLUX, ORDERINGS
from krmfn.report.applied import Applied, manifests
from krmfn.results import ERROR, Result

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    Files = Mapping[str, bytes | None]

# Of these at most one can be asked for.
_APART = (("in_place", "output"), ("in_place", "all_stages"), ("all_stages", "step"))
_NAMES = {"in_place": "--in-place", "output": "-o", "all_stages": "--all-stages", "step": "--step"}


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
@click.option(
    "--ordering",
    type=click.Choice(ORDERINGS),
    help="Let one commit hold a whole step: waves on the manifests, or with -o folders that depend on each other.",
)
@click.option(
    "--all-stages",
    is_flag=True,
    help="With -o: every stage of the release and of its ways back, each in a folder of its own, and an index.json.",
)
@click.option("--check", is_flag=True, help="Write nothing; name the files that are stale, and end with 1 if any is.")
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
      krmfn render ./shop --image shop=registry.example.com/shop:1.1 -o ./stages --all-stages
    """  # noqa: D301 - click looks for the character itself
    _check(path, options)
    asked = given(path, options)
    if asked.config.ordering == FLUX and (options["all_stages"] or not options["output"]):
        raise KrmfnError(f"ordering {FLUX} needs two folders for one position; say where with -o DIR")
    written, results = _every(asked, options) if options["all_stages"] else _one(asked, options)
    if not any(result.severity == ERROR for result in results) and (options["output"] or options["in_place"]):
        results += _stale(asked, written, options) if options["check"] else _write(asked, written, options)
    report(results)
    return int(any(result.severity == ERROR for result in results))


def _check(path: str, options: "dict[str, Any]") -> None:
    """Refuse options that contradict each other."""
    for one, other in _APART:
        if options[one] and options[other]:
            raise click.UsageError(f"{_NAMES[one]} and {_NAMES[other]} exclude each other; see krmfn render --help")
    if options["in_place"] and path == STDIN:
        raise click.UsageError("--in-place needs files; standard input has none")
    for name in ("one_per_file", "all_stages"):
        if options[name] and not options["output"]:
            raise click.UsageError(f"--{name.replace('_', '-')} needs -o DIR")
    if options["check"] and not (options["output"] or options["in_place"]):
        raise click.UsageError("--check needs -o DIR or --in-place: it compares with the files that are there")


def _every(asked: Given, options: "dict[str, Any]") -> "tuple[Files, list[Result]]":
    """Return the files of all stages, and the findings."""
    from krmfn.cli.stages import stages

    return stages(asked, lambda outcome: _files(asked, outcome, options))


def _one(asked: Given, options: "dict[str, Any]") -> "tuple[Files, list[Result]]":
    """Return the files of one position, and the findings; what has no files goes to standard output."""
    outcome = rendered(asked.package, asked.config, asked.stable)
    results, written = list(outcome.results), {}
    if outcome.failed:
        return {}, results
    if options["in_place"]:
        written = krm.write_files(asked.package, outcome.changes)
        results += unlisted(asked.package, outcome, written)
    elif options["output"]:
        return _files(asked, outcome, options), results
    else:
        say(krm.write_stream(_manifests(asked, outcome)))
    return written, results


def _manifests(asked: Given, outcome: Rendered) -> "list[krm.Item]":
    """Return what a cluster is to have. Raises KrmfnError where that is nothing."""
    items = manifests(asked.package, Applied(asked.package).changes(outcome))
    if not items:
        raise KrmfnError("nothing is left to write: no object of the package goes into a cluster")
    return items


def _files(asked: Given, outcome: Rendered, options: "dict[str, Any]") -> dict[str, bytes]:
    """Return the files that hold an object, by name; one for all where they came by standard input."""
    items = _manifests(asked, outcome)
    if asked.config.ordering == FLUX:
        from krmfn.cli.fluxing import ordered

        return ordered(items, outcome.views, options)
    if options["one_per_file"]:
        return {name: krm.write_stream([item]) for name, item in folder.one_per_file(items).items()}
    if asked.path == STDIN:
        return {"manifests.yaml": krm.write_stream(items)}
    filled = {item.path for item in items}
    files = krm.write_files(asked.package, Applied(asked.package).changes(outcome))
    return {name: data for name, data in files.items() if data is not None and name in filled}


def _write(asked: Given, written: "Files", options: "dict[str, Any]") -> "list[Result]":
    """Write everything; there is nothing more to say."""
    if options["in_place"]:
        folder.rewrite(_top(asked), written)
    else:
        folder.into(options["output"], {name: data for name, data in written.items() if data is not None}, asked.path)
    return []


def _stale(asked: Given, written: "Files", options: "dict[str, Any]") -> "list[Result]":
    """Return an error for each file that writing would change."""
    top = options["output"] or _top(asked)
    names = folder.stale(top, written, whole=not options["in_place"])
    message = "is not what krmfn renders; run the same command without --check, and commit the result"
    return [Result(ERROR, f"{os.path.join(top, name)} {message}") for name in names]


def _top(asked: Given) -> str:
    return asked.path if os.path.isdir(asked.path) else os.path.dirname(asked.path) or "."
