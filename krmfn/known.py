"""The fields that an API has: another one is a mistake, for an API server drops it without a word."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from krmfn.fields import Fields

    Known = dict[str, "Known | list[Known] | None"]


def anything(names: str) -> "Known":
    """Return fields, by their names with spaces between them, below which anything may stand."""
    return dict.fromkeys(names.split())


def check(place: "Fields", known: "Known") -> None:
    """Note every field below a place that is not known there, unless that was noted before.

    ``known`` says by name what may stand below a field: other fields, a list of such, or (None) anything.
    """
    for key in place.names():
        below = known.get(key)
        if key not in known and all(noted.field != place.at(str(key)).path for noted in place.problems):
            place.at(str(key)).problem(f"is not known{_hint(str(key), known)}")
        elif isinstance(below, dict):
            check(place.at(key), below)
        elif below and isinstance(place.at(key).value, list):
            for entry in place.sequence(key):
                check(entry, below[0])


def _hint(key: str, known: "Known") -> str:
    import difflib

    near = difflib.get_close_matches(key, known, 1)
    return f"; did you mean {near[0]}?" if near else f"; there are {', '.join(sorted(known))}"
