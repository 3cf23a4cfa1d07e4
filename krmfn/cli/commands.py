"""The commands."""

import click

from krmfn import __version__
from krmfn.cli.adopting import adopt
from krmfn.cli.differing import diff
from krmfn.cli.explaining import explain
from krmfn.cli.helming import post_render
from krmfn.cli.planning import plan
from krmfn.cli.rendering import render
from krmfn.cli.supporting import providers
from krmfn.cli.trying import test_lua

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, message="krmfn %(version)s")
def commands() -> None:
    """Render progressive delivery as plain manifests.

    Without arguments krmfn is a KRM function: it reads a ResourceList on standard input and writes one to standard
    output, for kpt, kustomize and whoever else runs such functions.

    A position is a step of the rollout (0, 1 … N, promote, finalise, complete) or half-way to one (2/scale, 3>0/drain).
    `krmfn plan` shows all of them.
    """


for command in (render, plan, explain, diff, adopt, post_render, providers, test_lua):
    commands.add_command(command)


def main(arguments: "Sequence[str]") -> int:
    """Run the command line and return the exit code: 0, 1 for input that is wrong, 2 for a command line that is."""
    try:
        commands.main(list(arguments), prog_name="krmfn", standalone_mode=False)
    except click.ClickException as problem:
        problem.show()
        return problem.exit_code
    except click.Abort:
        return 130
    except SystemExit as done:
        return done.code if isinstance(done.code, int) else 1
    return 0
