"""Other programs: the only module that runs one."""

import os

from krmfn.errors import KrmfnError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Failed(Exception):
    """A program ended with an error; ``says`` is the first line of its own words."""

    def __init__(self, says: str) -> None:
        """Keep the words."""
        super().__init__(says)
        self.says = says


def run(command: "Sequence[str]", purpose: str, environment: "Mapping[str, str]", given: bytes = b"") -> bytes:
    """Run a program and return its standard output.

    Raises Failed where it ends with an error, and KrmfnError, which says the ``purpose``, where there is none.
    """
    import subprocess

    try:
        done = subprocess.run(
            command, input=given, capture_output=True, check=False, env={**environment, "LC_ALL": "C"}
        )
    except OSError as problem:
        missing = isinstance(problem, FileNotFoundError)
        said = "is not installed" if missing else f"cannot be run: {problem.strerror}"
        raise KrmfnError(f"{os.path.basename(command[0])} {said}, and {purpose}") from problem
    if done.returncode:
        words = done.stderr.decode(errors="replace").strip().splitlines()
        raise Failed(words[0] if words else f"{' '.join(command)} failed")
    return done.stdout
