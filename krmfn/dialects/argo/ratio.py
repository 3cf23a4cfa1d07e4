"""Numbers of pods that follow from weights.

Without a router requests follow the number of pods, so a weight is approached by the counts of both sides.
Source: ``approximateWeightedCanaryStableReplicaCounts`` of the controller. What it settles at depends on whether there
may be a pod more than the author wants, not on how many.
"""

from krmfn.dialects.argo.reader import ALL
from krmfn.plan import Amount

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


class Ratio(Amount):
    """One side's pods: ``number`` is the canary's weight in percent, ``surge`` says that one pod more may run."""

    surge: bool = True
    stable: bool = False

    def of(self, total: int) -> int:
        """Return the number of pods of this side where ``total`` are wanted."""
        canary, stable = counts(total, self.number, surge=self.surge)
        return stable if self.stable else canary


class Share(Amount):
    """``number`` out of ``whole``, rounded up: pods can be counted by a weight that is no whole percentage."""

    whole: int = ALL

    def of(self, total: int) -> int:
        """Return the number of pods out of ``total``."""
        return Amount(-(-self.number * total // self.whole), least=self.least, beyond=self.beyond).of(total)

    def __str__(self) -> str:
        """Write it as people do, in percent."""
        return f"{self.number * ALL / self.whole:g}%"


def counts(total: int, weight: int, *, surge: bool) -> tuple[int, int]:
    """Return the canary's and the stable side's pods: the first of the closest pairs, each with a pod if it can."""
    options = list(_options(total, weight, surge=surge)) if total else [(0, 0)]
    return min(options or [(0, total)], key=lambda pair: abs(pair[0] * ALL / (sum(pair) or 1) - weight))


def _options(total: int, weight: int, *, surge: bool) -> "Iterator[tuple[int, int]]":
    up, down = -(-total * weight // ALL), total * weight // ALL
    none_left = weight in (0, ALL) or (total == 1 and not surge)
    for size in (total, total + 1) if surge else (total,):
        if size > total or up < total or none_left:
            yield up, size - up
        if not _tied(size, weight) and (down or none_left):
            yield down, size - down


def _tied(size: int, weight: int) -> bool:
    return size * (weight / ALL) % 1 == 0.5  # noqa: PLR2004
