"""What was found, as a table for a terminal and as one for the README."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

TITLES = ("what", "measured", "allowed", "from")


class Row(NamedTuple):
    """One figure: what it is, its value and the most it may be in some unit, and the measurements behind it.

    A value of None was not measured; ``source`` says why.
    """

    what: str
    value: float | None
    limit: float
    unit: str
    source: str

    @property
    def kept(self) -> bool:
        """Tell whether it is within what is allowed."""
        return self.value is None or self.value <= self.limit

    def cells(self) -> tuple[str, ...]:
        """Return the row as text."""
        found = "not measured" if self.value is None else figure(self.value, self.unit)
        return (self.what, found if self.kept else f"{found} (!)", f"≤ {self.limit:g}{self.unit}", self.source)


def figure(value: float, unit: str = "") -> str:
    """Write a value with two digits that count."""
    digits = 0 if value >= 10 else 1 if value >= 1 else 2 if value >= 0.1 else 3 if value >= 0.01 else 4  # noqa: PLR2004
    return f"{value:.{digits}f}{unit}"


def text(rows: Sequence[Row]) -> str:
    """Return the table for a terminal."""
    lines = [TITLES, *(row.cells() for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(TITLES))]
    padded = ("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines)
    return "\n".join(line.rstrip() for line in padded)


def markdown(rows: Sequence[Row]) -> str:
    """Return the table for the README."""
    lines = [TITLES, ("---", "---:", "---:", "---"), *(row.cells() for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
