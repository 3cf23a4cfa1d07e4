"""Cases: what a provider promises, as data beside the script.

A case is one YAML file in ``cases/``: ``promise`` (one sentence), ``given`` (a manifest), ``stage``, and either
``expected`` (a list of manifests) or ``refused`` (what the error must say, and ``field`` where it must point).
"""

import os

from krmfn.errors import KrmfnError
from krmfn.fields import Fields
from krmfn.frozen import Value
from krmfn.lua import load, render
from krmfn.results import errors

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from krmfn.lua.script import Script


class Case(Value):
    """One promise of one script; ``path`` is where it is written."""

    path: str
    script: "Script"
    promise: str
    given: "dict[str, Any]"
    stage: "dict[str, Any]"
    expected: "list[dict[str, Any]] | None" = None
    refused: str = ""
    field: str = ""

    def actual(self) -> "list[dict[str, Any]]":
        """Run the script. Raises KrmfnError as ``krmfn.lua.render`` does."""
        return render(self.script, self.given, full(self.stage))

    def problem(self) -> str:
        """Return why the promise is not kept, "" where it is."""
        try:
            made = self.actual()
        except KrmfnError as error:
            found = errors(error)
            kept = self.refused and any(self.refused in e.message and self.field in ("", e.field) for e in found)
            return "" if kept else f"{self.promise}: " + "; ".join(f"{e.field} {e.message}" for e in found)
        if self.refused:
            return f"{self.promise}: not refused"
        # As text, so that the order of keys is part of the promise.
        return "" if repr(made) == repr(self.expected) else f"{self.promise}: expected {self.expected}, got {made}"


def full(stage: "dict[str, Any]") -> "dict[str, Any]":
    """Return a stage with what a case may leave out."""
    return {"matches": [], "neutral": False, **stage}


def scripts(directory: str) -> "Iterator[str]":
    """Yield the path of every provider below a directory, in order."""
    for place, folders, names in os.walk(directory):
        folders.sort()
        if "render.lua" in names:
            yield os.path.join(place, "render.lua")


def cases(directory: str) -> "Iterator[Case]":
    """Yield every case of every provider below a directory, in order.

    Raises KrmfnError for a script without a case, for one that does not load and for a case that is not one.
    """
    for path in scripts(directory):
        home = os.path.dirname(path)
        name = os.path.relpath(home, directory).replace(os.sep, "/")
        with open(path, encoding="utf-8") as file:
            script = load(name, file.read())
        beside = os.path.join(home, "cases")
        names = sorted(n for n in os.listdir(beside) if n.endswith(".yaml")) if os.path.isdir(beside) else []
        if not names:
            message = f"{name}: has no case; write one in cases/"
            raise KrmfnError(message, file=path)
        for each in names:
            place = os.path.join(beside, each)
            with open(place, encoding="utf-8") as file:
                yield read(place, file.read(), script)


def read(path: str, text: str, script: "Script") -> Case:
    """Return the case that a file at ``path`` holds. Raises KrmfnError where it is not one."""
    from krmfn.krm import load as load_yaml

    data = load_yaml(text)
    try:
        case = Case(path, script, **data)
    except TypeError as error:
        message = f"is not a case: {error}"
        raise KrmfnError(message, file=path) from None
    place = Fields(data)
    place.text("promise", required=True)
    place.mapping("given", required=True)
    place.mapping("stage", required=True)
    list(place.sequence("expected"))
    place.text("refused", required=not place.has("expected"))
    place.settle()
    return case
