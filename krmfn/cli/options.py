"""The options that several commands share, and how a command ends."""

import os
import sys
from functools import wraps

import click

from krmfn.config import MODES
from krmfn.errors import KrmfnError
from krmfn.hosts import report
from krmfn.results import errors

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Command = Callable[..., Any]

_SIGPIPE = 128 + 13  # what a shell says of a program that a broken pipe has ended

_ROLLOUT = click.option("--rollout", metavar="[NAMESPACE/]NAME", help="The rollout, where the package has several.")
_STEP = click.option(
    "--step", metavar="S", help="The position: 0, 1 … N, promote, finalise, complete, 2/scale, 3>0/drain …"
)
_STABLE = click.option(
    "--stable",
    metavar="PATH|git:REV",
    help="What runs now: manifests (- for standard input, such as of `helm get manifest`), or the same PATH at a "
    "Git revision. The package then holds the new version.",
)
_STABLE_CHART = click.option(
    "--stable",
    metavar="PATH|git:REV:PATH|helm:NAME",
    help="What runs now: manifests, in a file or folder, as they are or as they were at a Git revision; or the release "
    "[NAMESPACE/]NAME, as `helm get manifest` has it. The chart then holds the new version.",
)
_REVISIONS = (
    click.option(
        "--image",
        metavar="NAME=REF",
        multiple=True,
        help="The new version: containers that run image NAME run REF. May be given several times.",
    ),
    click.option(
        "--isolation",
        type=click.Choice(MODES),
        help="How stable and canary pods are told apart. Default: the first that can.",
    ),
    click.option("--retarget", is_flag=True, help="Let a new version take over the position of the one before it."),
    click.option("--adopted", is_flag=True, help="The track label of stage 0 is known to be on the running pods."),
    click.option(
        "--replicas",
        metavar="N",
        type=click.IntRange(0),
        help="How many pods an autoscaler has chosen, where one owns the number.",
    ),
)


def asks(command: "Command") -> "Command":
    """Add the options by which a command is told the rollout and its two revisions."""
    return _asks(command, _STABLE)


def asks_of_a_chart(command: "Command") -> "Command":
    """Add the same options where the package is what a chart renders."""
    return _asks(command, _STABLE_CHART)


def _asks(command: "Command", stable: "Callable[[Command], Command]") -> "Command":
    for option in reversed((_ROLLOUT, _REVISIONS[0], stable, *_REVISIONS[1:])):
        command = option(command)
    return command


def asks_step(command: "Command") -> "Command":
    """Add ``--step``."""
    return _STEP(command)


def fails_with(code: int) -> "Callable[[Command], Command]":
    """End a command whose input is wrong with an exit code, and what is wrong on standard error."""

    def decorate(command: "Command") -> "Command":
        @wraps(command)
        def run(*args: "Any", **kwargs: "Any") -> None:
            try:
                sys.exit(command(*args, **kwargs) or 0)
            except KrmfnError as problem:
                report(errors(problem))
                sys.exit(code)
            except BrokenPipeError:
                # Whoever read has had enough. What is still in the buffer must not fail again when Python ends.
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
                sys.exit(_SIGPIPE)

        return run

    return decorate


def say(data: bytes) -> None:
    """Write all of it to standard output, which takes less at a time where Python runs without buffers."""
    view = memoryview(data)
    while view:
        view = view[sys.stdout.buffer.write(view) :]
    sys.stdout.buffer.flush()
