"""What we have to say about a run: findings with their place, in the order in which they were found.

The shape is the KRM functions specification's ``results`` (severity, message, resourceRef, field, file).
"""

from krmfn.errors import KrmfnError
from krmfn.frozen import Value
from krmfn.krm.item import Ref

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from krmfn.krm.item import Manifest

ERROR, WARNING, INFO = "error", "warning", "info"


class Result(Value):
    """One finding: ``field`` is a path such as ``spec.strategy.canary.steps[2]``, ``file`` where it was read."""

    severity: str
    message: str
    ref: Ref | None = None
    field: str = ""
    file: str = ""
    index: int = 0

    def manifest(self) -> "Manifest":
        """Write it as an entry of a ResourceList's ``results``."""
        entry: Manifest = {"message": self.message, "severity": self.severity}
        if self.ref:
            ref = {"apiVersion": self.ref.api_version, "kind": self.ref.kind, "name": self.ref.name}
            entry["resourceRef"] = ref | ({"namespace": self.ref.namespace} if self.ref.namespace else {})
        if self.field and self.ref:
            entry["field"] = {"path": self.field}
        if self.file:
            entry["file"] = {"path": self.file} | ({"index": self.index} if self.index else {})
        return entry

    def line(self) -> str:
        """Say it in one line for a terminal: severity, object, field, message, file."""
        place = " ".join(part for part in (str(self.ref or ""), self.field) if part)
        file = f" ({self.file})" if self.file else ""
        return f"{self.severity}: {place + ': ' if place else ''}{self.message}{file}".replace("\n", " ")


class Refused(KrmfnError):
    """Several things are wrong with one object; ``problems`` holds each of them."""

    def __init__(self, problems: "Iterable[KrmfnError]") -> None:
        """Flatten, so that a refusal inside a refusal is just more problems."""
        self.problems: list[KrmfnError] = []
        for problem in problems:
            self.problems += problem.problems if isinstance(problem, Refused) else [problem]
        super().__init__("; ".join(problem.message for problem in self.problems))


def errors(problem: KrmfnError) -> list[Result]:
    """Turn an exception into findings."""
    flat = problem.problems if isinstance(problem, Refused) else [problem]
    return [Result(ERROR, p.message, p.ref, p.field, p.file) for p in flat]
