"""The fields that an API has: another one is a mistake, for an API server drops it without a word."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from krmfn.fields import Fields

    Known = dict[str, "Known | list[Known] | None"]


def anything(names: str) -> "Known":
    """Return fields, by their names with spaces between them, below which anything may stand."""
    return dict.fromkeys(names.split())


def check(place: "Fields", known: "Known", root: "tuple[str, Known] | None" = None) -> None:
    """Note every field below a place that is not known there, unless that was noted before.

    ``known`` says by name what may stand below a field: other fields, a list of such, or (None) anything.
    ``root`` is where the check began, for a field that has merely slipped out of its place.
    """
    root = root or (place.path, known)
    for key in place.value if isinstance(place.value, dict) else ():
        below = known.get(key)
        if key not in known and all(noted.field != place.at(str(key)).path for noted in place.problems):
            place.at(str(key)).problem(f"is not known{_hint(str(key), known, root)}")
        elif isinstance(below, dict):
            check(place.at(key), below, root)
        elif below and isinstance(place.at(key).value, list):
            for entry in place.sequence(key):
                check(entry, below[0], root)


def _hint(key: str, known: "Known", root: "tuple[str, Known]") -> str:
    import difflib

    path, everything = root
    if places := list(_places(key, everything, f"{path}." if path else "")):
        return f"; its place is {' or '.join(places)}"
    near = difflib.get_close_matches(key, known, 1)
    return f"; did you mean {near[0]}?" if near else f"; there are {', '.join(sorted(known))}"


def _places(key: str, known: "Known", path: str) -> "Iterator[str]":
    """Yield where a field of that name may stand, in objects that are no entries of a list."""
    for name, below in known.items():
        if name == key:
            yield f"{path}{name}"
        elif isinstance(below, dict):
            yield from _places(key, below, f"{path}{name}.")
