"""Processes, timed: every program gets its turn in every round, so that a slow moment of the machine is shared."""

from __future__ import annotations

import os
import subprocess
import time
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path


class Program(NamedTuple):
    """What to run, with which file as its standard input, and where."""

    name: str
    command: tuple[str, ...]
    given: Path | None = None


class Run(NamedTuple):
    """What one process took: seconds by the clock, bytes of memory at its largest."""

    seconds: float
    memory: int


class Taken(NamedTuple):
    """What a program took in each round."""

    runs: tuple[Run, ...]

    @property
    def seconds(self) -> float:
        """The time of a typical round."""
        return median(run.seconds for run in self.runs)

    @property
    def memory(self) -> int:
        """The most memory of any round."""
        return max(run.memory for run in self.runs)

    def over(self, other: Taken) -> float:
        """Return how many times as long this took as the other: the median of what each round says."""
        return median(mine.seconds / theirs.seconds for mine, theirs in zip(self.runs, other.runs, strict=True))


def environment() -> Mapping[str, str]:
    """Return the environment of a user's shell: nothing in it changes how Python starts."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "COVERAGE"))}


def once(program: Program) -> Run:
    """Run a program. Raises RuntimeError, with its last words, where it fails."""
    with open(program.given or os.devnull, "rb") as given:
        start = time.perf_counter()
        process = subprocess.Popen(
            program.command, stdin=given, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment()
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        message = f"{program.name} ended with exit code {process.returncode}: {' '.join(program.command)}"
        raise RuntimeError(message)
    return Run(seconds, usage.ru_maxrss * 1024)


def measured(programs: Iterable[Program], rounds: int) -> dict[str, Taken]:
    """Run each program once per round, after a first round that does not count, and return what each took."""
    todo = list(programs)
    if rounds > 1:
        for program in todo:
            once(program)
    runs: dict[str, list[Run]] = {program.name: [] for program in todo}
    for _ in range(rounds):
        for program in todo:
            runs[program.name].append(once(program))
    return {name: Taken(tuple(found)) for name, found in runs.items()}


class Line(NamedTuple):
    """A straight line through points: seconds at no objects, seconds for each, and how far points lie from it."""

    start: float
    each: float
    furthest: float


def line(points: Sequence[tuple[int, float]]) -> Line:
    """Return the line with the least squares of relative distances, as small sizes count as much as large ones.

    ``furthest`` is the largest distance as a part of what was measured.
    """
    weights = [1 / seconds**2 for _, seconds in points]
    total = sum(weights)
    middle = sum(w * n for w, (n, _) in zip(weights, points, strict=True)) / total
    mean = sum(w * s for w, (_, s) in zip(weights, points, strict=True)) / total
    spread = sum(w * (n - middle) ** 2 for w, (n, _) in zip(weights, points, strict=True))
    each = sum(w * (n - middle) * (s - mean) for w, (n, s) in zip(weights, points, strict=True)) / spread
    start = mean - each * middle
    return Line(start, each, max(abs(start + each * n - s) / s for n, s in points))
