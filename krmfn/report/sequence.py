"""Moving over, as text: the commits in order, what each changes and why, and what to wait for before the next one."""

import textwrap

from krmfn import krm
from krmfn.function import Rendered
from krmfn.report import words
from krmfn.report.applied import Applied, manifests
from krmfn.report.difference import Difference

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from krmfn.krm import Item, Package
    from krmfn.moving import Move, Moving

    Files = Mapping[str, bytes]

WIDTH = 100
HERE = ">"
END = "krmfn has taken over: this is position 0, and `krmfn plan` shows the way on."


def sequence(moving: "Moving") -> str:
    """Return the commits of every rollout of a package."""
    return "\n".join("".join(f"{line}\n" for line in _lines(moving, move)) for move in moving.moves)


def _lines(moving: "Moving", move: "Move") -> "Iterator[str]":
    count = len(move.commits)
    yield f"{move.rollout.ref} moves over in {count} commit{'s' if count != 1 else ''}."
    for number, commit in enumerate(move.commits, 1):
        yield ""
        yield from _wrapped(commit.title, f"{HERE if number == move.standing else ' '} {number}  ")
        if number > move.standing:
            yield from _changes(moving, number)
        yield from _wrapped(f"Why: {commit.why}", "     ")
        for title, said in (("First:", commit.before), ("Then:", commit.then)):
            if said:
                yield f"     {title}"
            for one in said:
                yield from _wrapped(one, "     - ")
    yield ""
    yield from _wrapped(END, "  ")


def _changes(moving: "Moving", number: int) -> "Iterator[str]":
    """Yield what a commit changes in what is applied; of several rollouts, what all of them change."""
    before, after = moving.files(number - 1), moving.files(number)
    for sign, said in words.changes(differences(before, after)):
        lines = _wrapped(said, "       ")
        yield f"     {sign} {lines[0].lstrip()}"
        yield from lines[1:]


def differences(before: "Files", after: "Files") -> "list[Difference]":
    """Return the objects that differ in what is applied of two sets of files."""
    old, new = _applied(before), _applied(after)
    there = [Difference(old.get(key), item) for key, item in new.items()]
    gone = [Difference(item, None) for key, item in old.items() if key not in new]
    return [found for found in (*there, *gone) if found.old is None or found.new is None or found.fields]


def _applied(files: "Files") -> "dict[tuple[str, str, str, str], Item]":
    return {item.ref.key: item for item in applied(krm.read_files(files.items()))}


def applied(package: "Package") -> "list[Item]":
    """Return every object of a package that goes into a cluster."""
    return manifests(package, Applied(package).changes(Rendered({}, ())))


def _wrapped(said: str, indent: str) -> "list[str]":
    more = " " * len(indent)
    return textwrap.wrap(
        said, WIDTH, initial_indent=indent, subsequent_indent=more, break_long_words=False, break_on_hyphens=False
    )
