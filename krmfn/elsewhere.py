"""What a package has where something else was looked for: it is what was meant, more often than not."""

import difflib

TYPE_CHECKING = False
if TYPE_CHECKING:
    from krmfn.krm.item import Ref


def hint(ref: "Ref", there: "list[Ref]") -> str:
    """Return the end of a message on an object that is missing, by the objects of that kind that are there."""
    names = [other.name for other in there if (other.group, other.namespace) == (ref.group, ref.namespace)]
    if near := difflib.get_close_matches(ref.name, names, 1):
        return f"; did you mean {near[0]!r}?"
    if other := next((other for other in there if (other.kind, other.name) == (ref.kind, ref.name)), None):
        return f"; there is one {_where(ref, other)}"
    return f"; its {ref.kind}s are {', '.join(sorted(names))}" if names else f"; it has no {ref.kind}"


def _where(ref: "Ref", other: "Ref") -> str:
    if other.group != ref.group:
        return f"of {other.api_version}, and only those of {ref.group} are rendered"
    if not other.namespace:
        return f"without a namespace; write `namespace: {ref.namespace}` there, too"
    return f"in namespace {other.namespace!r}"
