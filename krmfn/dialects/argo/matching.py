"""What a header route or a mirror route asks of a request."""

import re

from krmfn.plan import EXACT, PREFIX, REGEX, Condition, Match

TYPE_CHECKING = False
if TYPE_CHECKING:
    from krmfn.fields import Fields

KINDS = ("exact", "prefix", "regex")


def header(place: "Fields", *, exact_only: bool) -> Condition:
    """Return the condition of one entry of a header route."""
    name, value = place.text("headerName", required=True), place.mapping("headerValue")
    if not value:
        message = "StringMatch value missed, match value must have one of the following: exact, regex, prefix"
        place.at("headerValue").problem(message)
    elif exact_only and not value.has("exact"):
        value.problem("SetHeaderRoute match value invalid. ALB supports 'exact' value only")
    return _condition(value, ("header", name))


def mirrored(place: "Fields") -> Match:
    """Return what one entry of a mirror route asks for: all of its parts; a path begins with whole segments."""
    found, path = [], None
    if method := place.mapping("method"):
        found.append(_condition(method, ("method", "")))
    headers = place.mapping("headers")
    found += [_condition(headers.mapping(name), ("header", name)) for name in headers.names()]
    if asked := place.mapping("path"):
        kind, text = _read(asked)
        path = ({"exact": EXACT, "prefix": PREFIX}.get(kind, REGEX), text)
    return Match(tuple(found), None if path == (PREFIX, "/") else path)


def _condition(value: "Fields", what: tuple[str, str]) -> Condition:
    kind, text = _read(value)
    if kind == "prefix":
        text = re.sub(r"([\\.+*?()|\[\]{}^$])", r"\\\1", text) + ".*"
    return Condition(*what, text, EXACT if kind == "exact" else REGEX)


def _read(value: "Fields") -> tuple[str, str]:
    """Return the kind and the text of a StringMatch."""
    found = [(kind, value.text(kind)) for kind in KINDS if value.has(kind)]
    if value and len(found) != 1:
        value.problem("StringMatch match value must have exactly one of the following: exact, regex, prefix")
    return found[0] if found else ("exact", "")
