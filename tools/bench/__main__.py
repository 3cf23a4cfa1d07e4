"""Measure, and print a table with what was found beside what is allowed.

    python -m tools.bench [--markdown] [--skip-slow] [--check]

It builds the wheel, installs it into an environment of its own, and runs the console script as a host does.
"""

from __future__ import annotations

import argparse
import platform
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from . import corpus, table
from .measure import line, measured, once
from .programs import COPY, LOAD_AND_DUMP, Bench

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .measure import Program, Taken
    from .table import Row as Figure

MIB = 1 << 20


class Sizes(argparse.Namespace):
    """How much to measure: small numbers show that the bench works, the defaults what krmfn can do."""

    rounds: int
    objects: int
    scale: list[int]
    rollouts: int
    skip_slow: bool
    markdown: bool
    check: bool


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; the exit code is 1 where ``--check`` was given and something took more than it may."""
    sizes = _sizes(arguments)
    with tempfile.TemporaryDirectory(prefix="krmfn-bench-") as folder:
        bench = Bench(Path(folder))
        rows = [*_small(bench, sizes), *_large(bench, sizes), *_scale(bench, sizes), *_rollouts(bench, sizes)]
    print((table.markdown if sizes.markdown else table.text)(rows))
    print(f"\nPython {platform.python_version()}, {platform.machine()}; ratios are of processes that took turns.")
    return int(sizes.check and not all(row.kept for row in rows))


def _sizes(arguments: Sequence[str] | None) -> Sizes:
    parser = argparse.ArgumentParser(prog="python -m tools.bench", description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=30, help="runs of each program on the small package")
    parser.add_argument("--objects", type=int, default=6_000, help="objects of the large package")
    parser.add_argument("--scale", type=int, nargs="+", default=[10, 100, 1_000, 10_000, 100_000], metavar="N")
    parser.add_argument("--rollouts", type=int, default=1_000, help="rollouts in one list")
    parser.add_argument("--skip-slow", action="store_true", help="do not wait for kustomize on the large package")
    parser.add_argument("--markdown", action="store_true", help="print the table for the README")
    parser.add_argument("--check", action="store_true", help="fail where something takes more than it may")
    return parser.parse_args(arguments, Sizes())


def _small(bench: Bench, sizes: Sizes) -> Iterator[Figure]:
    """Six objects, of which one is a rollout at step 2."""
    _write(bench, "small", corpus.small(), corpus.step())
    ours, nothing, host = bench.krmfn("small.yaml"), bench.python("pass", "pass"), bench.kustomize("small")
    took = measured([ours, nothing, *([host] if host else [])], sizes.rounds)
    what = "small package (6 objects), against"
    yield _compared(f"{what} {host.name if host else 'kubectl kustomize'}", took, (ours, host), 0.35)
    yield _compared(f"{what} `python -c pass`", took, (ours, nothing), 3)


def _large(bench: Bench, sizes: Sizes) -> Iterator[Figure]:
    """Some ten megabytes with one rollout."""
    size = _write(bench, "large", corpus.large(sizes.objects), corpus.step())
    ours, copy = bench.krmfn("large.yaml"), bench.python("copy", COPY, "large.yaml")
    yaml, host = bench.python("PyYAML", LOAD_AND_DUMP, "large.yaml"), bench.kustomize("large")
    rounds = max(sizes.rounds // 4, 1)
    took = measured([ours, copy], rounds)
    slow = measured([ours, yaml], max(rounds // 3, 1))
    what = f"{size / 1e6:.0f} MB ({sizes.objects} objects), against"
    name = host.name if host else "kubectl kustomize"
    if host and not sizes.skip_slow:
        theirs = once(host).seconds
        source = f"{_time(took[ours.name].seconds)} / {_time(theirs)}, measured once"
        yield table.Row(f"{what} {name}", took[ours.name].seconds / theirs, 0.01, "x", source)
    else:
        yield table.Row(f"{what} {name}", None, 0.01, "x", "skipped" if host else "not on this machine")
    yield _compared(f"{what} PyYAML (C), load and dump", slow, (ours, yaml), 0.05)
    yield _compared(f"{what} Python that copies the bytes", took, (ours, copy), 20)
    most = took[ours.name].memory
    source = f"{most / MIB:.0f} MiB at most, of which the input is {size / MIB:.0f}"
    yield table.Row("memory beside the input", (most - size) / MIB, 20, " MiB", source)


def _scale(bench: Bench, sizes: Sizes) -> Iterator[Figure]:
    """Time against size."""
    points = []
    for count in sizes.scale:
        _write(bench, "scale", corpus.large(count), corpus.step())
        rounds = max(min(sizes.rounds, 30_000 // count), 1)
        program = bench.krmfn("scale.yaml")
        points.append((count, measured([program], rounds)[program.name].seconds))
    found = line(points)
    source = f"{_time(found.start)} + {found.each * 1e6:.0f} µs per object; " + ", ".join(
        f"{count}: {_time(seconds)}" for count, seconds in points
    )
    what = f"{sizes.scale[0]} to {sizes.scale[-1]} objects, furthest from a straight line"
    yield table.Row(what, found.furthest * 100, 25, " %", source)


def _rollouts(bench: Bench, sizes: Sizes) -> Iterator[Figure]:
    """Many rollouts that all go from step 0 to step 1 with a new image, in a list that holds their state."""
    _write(bench, "rollouts", corpus.rollouts(sizes.rollouts))
    bench.keep("rollouts.yaml", "onward.yaml", corpus.onward)
    program = bench.krmfn("onward.yaml")
    took = measured([program], max(sizes.rounds // 10, 1))[program.name]
    each = took.seconds * 1e3 / sizes.rollouts
    what = f"each of {sizes.rollouts} rollouts in one list"
    yield table.Row(what, each, 5, " ms", f"{_time(took.seconds)}, {took.memory / MIB:.0f} MiB at most")


def _compared(what: str, took: dict[str, Taken], pair: tuple[Program, Program | None], limit: float) -> Figure:
    ours, theirs = pair
    if theirs is None:
        return table.Row(what, None, limit, "x", "not on this machine")
    mine, other = took[ours.name], took[theirs.name]
    return table.Row(what, mine.over(other), limit, "x", f"{_time(mine.seconds)} / {_time(other.seconds)}")


def _time(seconds: float) -> str:
    return f"{table.figure(seconds)} s" if seconds >= 1 else f"{seconds * 1e3:.1f} ms"


def _write(bench: Bench, name: str, documents: Iterator[str] | list[str], config: str = "") -> int:
    """Write a package as a ResourceList and as a kustomization; return the bytes of the list."""
    folder = bench.folder / name
    folder.mkdir(exist_ok=True)
    (folder / "kustomization.yaml").write_text("resources:\n- all.yaml\n")
    with (bench.folder / f"{name}.yaml").open("w") as listed, (folder / "all.yaml").open("w") as stream:
        corpus.write(listed, stream, documents, config)
    return (bench.folder / f"{name}.yaml").stat().st_size


if __name__ == "__main__":
    sys.exit(main())
