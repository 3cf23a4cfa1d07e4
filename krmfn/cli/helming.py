"""``krmfn helm``: a post-renderer, for Helm 3 as a program and for Helm 4 as a plugin."""

import os
import sys
from contextlib import suppress

import click

from krmfn import folder, git, helm, krm
from krmfn.cli.given import STDIN, requested
from krmfn.cli.options import asks_of_a_chart, asks_step, fails_with, say
from krmfn.errors import KrmfnError
from krmfn.function import Rendered, render
from krmfn.hosts import report
from krmfn.plan import COMPLETE
from krmfn.report.applied import Applied

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from krmfn.config import Config
    from krmfn.krm import Item, Package

# Helm 4 sends and expects it: the template that an object comes from.
SOURCE = "postrenderer.helm.sh/postrender-filename"


@click.command("helm")
@click.argument("paths", metavar="[PATH]...", nargs=-1)
@asks_step
@asks_of_a_chart
@fails_with(1)
def post_render(paths: "tuple[str, ...]", **options: "Any") -> int:
    """Render what a chart has rendered, as a post-renderer of Helm.

    Manifests come on standard input and go to standard output. Each PATH, a file or a folder, holds what the chart does
    not: the rollout, and if you like a RolloutStep with the position. Neither is applied. Hooks, tests and all that
    belongs to no release go through as they came.

    Helm 4 runs plugins only: `helm plugin install` the folder hosts/helm of krmfn's repository, and the name of the
    program below is that of the plugin.

    \b
    Example:
      helm upgrade shop ./chart --post-renderer krmfn --post-renderer-args helm \\
        --post-renderer-args release/ --post-renderer-args --stable=helm:shop      # Helm 3
      helm upgrade shop ./chart --post-renderer krmfn \\
        --post-renderer-args release/ --post-renderer-args --stable=helm:shop      # Helm 4
      helm template shop ./chart | krmfn helm release/ --step 1 --stable git:HEAD~1:rendered.yaml
    """  # noqa: D301 - click looks for the character itself
    _heard()
    package = _package(paths)
    config = requested(package, options)
    outcome = render(package, config, _stable(options.get("stable") or "", package, config))
    if not outcome.failed:
        say(krm.write_stream(list(_applied(package, outcome))))
    report(outcome.results)
    return int(outcome.failed)


def _package(paths: "Sequence[str]") -> "Package":
    """Return what came on standard input, and what is in the files."""
    chart = sys.stdin.buffer.read()
    krm.read(chart)  # refuses an empty one: Helm 3 takes an empty answer for an empty release
    return krm.read_files([("", chart), *(file for path in paths for file in folder.read(path))])


def _stable(wanted: str, package: "Package", config: "Config") -> "Package | None":
    """Return the manifests of what runs now."""
    if wanted == STDIN:
        raise KrmfnError("--stable -: standard input holds the chart's manifests already; give a path")
    if wanted.startswith(helm.SCHEME):
        # What ran before makes no difference there, and Helm may have forgotten it by then.
        return None if config.step == COMPLETE else helm.running(wanted.removeprefix(helm.SCHEME), package)
    if not wanted.startswith(git.SCHEME):
        return krm.read_files(folder.read(wanted)) if wanted else None
    revision, colon, path = wanted.removeprefix(git.SCHEME).partition(":")
    if not colon:
        raise KrmfnError(f"--stable {wanted}: a chart has no manifests in Git; say where they are, as git:REV:PATH")
    return krm.read_files(git.read(path or ".", revision))


def _applied(package: "Package", outcome: Rendered) -> "Iterator[Item]":
    """Yield what a cluster is to have, what was added under the name of the template beside which it stands."""
    changes = Applied(package).changes(outcome)
    for mark, item in enumerate(package.items):
        for now in changes.get(mark, (item,)):
            source = _annotations(item).get(SOURCE) if now.mark < 0 else None
            yield _sourced(now, source) if source else now


def _sourced(item: "Item", source: str) -> "Item":
    metadata = item.value["metadata"] | {"annotations": _annotations(item) | {SOURCE: source}}
    return item.edited(item.value | {"metadata": metadata})


def _annotations(item: "Item") -> "dict[str, str]":
    return (item.value.get("metadata") or {}).get("annotations") or {}


def _heard() -> None:
    """Let what is said be heard: Helm 4 throws away a plugin's standard error, and its own can be had on Linux.

    Not where that is a file: Helm would write over it.
    """
    theirs = f"/proc/{os.getppid()}/fd/2"
    if os.environ.get("HELM_PLUGIN_NAME"):
        with suppress(OSError):
            if not os.path.isfile(theirs):
                os.dup2(os.open(theirs, os.O_WRONLY), sys.stderr.fileno())
