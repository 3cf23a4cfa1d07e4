"""The renderers: each makes one part of a stage, and none knows another. The order is that of the table.

A renderer is a module with ``render(view)``, which yields objects to add, fields to edit, and findings.
"""

from krmfn.errors import KrmfnError
from krmfn.renderers import autoscaler, body, configs, neighbours, partition, service, traffic, twin
from krmfn.results import Refused
from krmfn.view import View

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Final, Protocol

    from krmfn.results import Result
    from krmfn.view import Added, Edited

    class Renderer(Protocol):
        """What every renderer offers."""

        def render(self, view: View) -> Iterator[Added | Edited | Result]:
            """Yield this renderer's part of a stage."""


RENDERERS: "Final[tuple[Renderer, ...]]" = (body, twin, partition, autoscaler, service, traffic, configs, neighbours)


def render(view: View) -> "Iterator[Added | Edited | Result]":
    """Yield everything that a stage consists of. Raises ``Refused`` at the end with what any of them refused."""
    problems = []
    for renderer in RENDERERS:
        try:
            yield from renderer.render(view)
        except KrmfnError as problem:
            problems.append(problem)
    if problems:
        raise Refused(problems)
