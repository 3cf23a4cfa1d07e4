"""What can go wrong, as one small tree.

    KrmfnError          something a person has to act on; says what, where and what to do instead
      NotYaml           the text is not YAML that Kubernetes would read (line and column)

Bugs are not in this tree: they end with a traceback.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from krmfn.krm.item import Ref


class KrmfnError(Exception):
    """Unusable input.

    ``message`` is one sentence for the person who has to act on it; ``ref`` is the object it is about and ``field``
    the path in that object (``spec.strategy.canary.steps[2].traffic``), each where there is one. ``file`` is the file
    it was read from, where the object itself cannot say.
    """

    def __init__(self, message: str, *, ref: "Ref | None" = None, field: str = "", file: str = "") -> None:
        """Keep the parts apart, so that a host can show each in its place."""
        super().__init__(message)
        self.message = message
        self.ref = ref
        self.field = field
        self.file = file


class NotYaml(KrmfnError):
    """The text is not YAML, or not YAML that the Kubernetes API server would accept."""

    def __init__(self, message: str, *, line: int = 0, column: int = 0, file: str = "") -> None:
        """``line`` and ``column`` count from 1; 0 where they are not known."""
        where = f"line {line}, column {column}: " if line else ""
        super().__init__(where + message, file=file)
        self.line = line
        self.column = column
