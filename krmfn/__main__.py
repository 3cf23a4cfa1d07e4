"""``krmfn`` without arguments is the KRM function; with arguments it is the command line.

Starting is most of what a small run costs, so each way loads only what it needs.
"""

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn


def program() -> "NoReturn":
    """Run as a process of our own: the console script, and ``python -m krmfn``.

    A process that is about to end needs no memory back, so nothing is collected on the way and nothing is taken apart
    at the end: of 40 ms for a small package, 1 and 4.
    """
    import atexit
    import gc

    gc.disable()
    code = main()
    atexit._run_exitfuncs()  # noqa: SLF001 - what others have registered, such as a measurement of coverage
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def main(arguments: "Sequence[str] | None" = None) -> int:
    """Run what ``arguments`` (by default those of the process) ask for and return the exit code.

    A legacy kustomize plugin is called with the path of its configuration, which always has a separator in it; a
    command never has.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given == ["--version"]:
        from krmfn import __version__

        sys.stdout.write(f"krmfn {__version__}\n")
        return 0
    if not given or (os.sep in given[0] and os.path.isfile(given[0])):
        from krmfn.hosts import run_function

        return run_function(given)
    from krmfn.cli import main as command

    return command(given)


if __name__ == "__main__":
    program()
