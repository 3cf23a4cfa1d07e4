"""``krmfn adopt``: moving over from a live controller, commit by commit."""

import os

import click

from krmfn import folder, krm
from krmfn.cli.given import STDIN, given
from krmfn.cli.listing import unlisted
from krmfn.cli.options import fails_with, say
from krmfn.config import MODES
from krmfn.function import Rendered
from krmfn.hosts import report

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from krmfn.moving import Moving


@click.command()
@click.argument("path")
@click.option("--commit", "number", metavar="K", type=click.IntRange(1), help="Render this commit, counted from 1.")
@click.option("--rollout", metavar="[NAMESPACE/]NAME", help="The rollout, where not all of the package are to move.")
@click.option("--isolation", type=click.Choice(MODES), help="How stable and canary pods will be told apart.")
@click.option(
    "--replicas", metavar="N", type=click.IntRange(0), help="How many pods run, where the manifests do not say."
)
@click.option("-o", "--output", metavar="DIR", help="With --commit: write files into DIR instead of standard output.")
@click.option("--in-place", is_flag=True, help="With --commit: write back to the files of PATH.")
@click.option(
    "--client-side",
    is_flag=True,
    help="The host applies on the client's side, as `kubectl apply` does: fields that the controller wrote are removed "
    "by null. Never where it applies on the server's side: there null is an empty value, and Services choose no pod.",
)
@fails_with(1)
def adopt(path: str, number: int | None, **options: "Any") -> int:
    """Take the rollouts in PATH over from the controllers that run them now.

    Deleting a controller's resource can delete its pods, or leave the workload without any, so moving over is a few
    commits, with something to wait for between them. Without --commit they are shown: what each changes, why, and what
    has to be true in the cluster before the next one. Nothing is written. The last one ends at position 0.

    It is an error while a release is under way, as far as the manifests show: their status, a pause, objects and keys
    that a controller keeps for that time.

    \b
    Example:
      krmfn adopt ./shop
      krmfn adopt ./shop --commit 1 --in-place
    """  # noqa: D301 - click looks for the character itself
    from krmfn.moving import Moving
    from krmfn.report.sequence import sequence

    _check(path, number, options)
    asked = given(path, options)
    moving = Moving(asked.package, asked.config, client_side=options["client_side"])
    if number is None:
        say(sequence(moving).encode())
    elif number > moving.length:
        raise click.UsageError(f"there is no commit {number}: the last one is {moving.length}")
    else:
        _write(path, moving, number, options)
    return 0


def _check(path: str, number: int | None, options: "dict[str, Any]") -> None:
    if options["in_place"] and options["output"]:
        raise click.UsageError("--in-place and -o exclude each other; see krmfn adopt --help")
    if options["in_place"] and path == STDIN:
        raise click.UsageError("--in-place needs files; standard input has none")
    if number is None and (options["in_place"] or options["output"] or options["client_side"]):
        raise click.UsageError("say which commit to render with --commit; without it they are shown")


def _write(path: str, moving: "Moving", number: int, options: "dict[str, Any]") -> None:
    """Write the files after a commit back, or what a cluster is to have of them."""
    from krmfn.report.applied import Applied
    from krmfn.report.sequence import applied

    files = moving.files(number)
    package = krm.read_files(files.items())
    if options["in_place"]:
        gone = [stream.path for stream in moving.package.streams if stream.path not in files]
        written = {**files, **dict.fromkeys(gone)}
        folder.rewrite(path if os.path.isdir(path) else os.path.dirname(path) or ".", written)
        report(unlisted(moving.package, Rendered({0: tuple(package.items)}, ()), written))
        return
    there = applied(package)
    if not options["output"]:
        say(krm.write_stream(there))
        return
    left = krm.write_files(package, Applied(package).changes(Rendered({}, ())))
    filled = {item.path for item in there}
    folder.into(options["output"], {n: data for n, data in left.items() if data is not None and n in filled}, path)
