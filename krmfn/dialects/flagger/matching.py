"""What a request has to show: Istio's way of writing it, which Flagger uses for every provider."""

import re

from krmfn.plan import EXACT, REGEX, Condition, Match

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from krmfn.fields import Fields

PARTS = {"headers": "header", "queryParams": "query"}
_SPECIAL = re.compile(r"([\\.+*?()|\[\]{}^$])")


def match(place: "Fields", *, cookies: bool) -> Match:
    """Read one match; ``cookies``: the header called cookie names a cookie, as it does for ingress-nginx."""
    callers = (Condition("caller", name, value) for name, value in place.labels("sourceLabels").items())
    conditions = (*_conditions(place, cookies=cookies), *callers)
    if not conditions:
        place.problem("matches every request; name a header, a query parameter or a label of who calls")
    return Match(conditions)


def _conditions(place: "Fields", *, cookies: bool) -> "Iterator[Condition]":
    for key, part in PARTS.items():
        found = place.mapping(key)
        for name in found.names():
            value, kind = compared(found.mapping(name))
            if cookies and name.lower() == "cookie":
                if kind != EXACT:
                    found.at(name).problem("is compared in full: write the name of a cookie as `exact`")
                yield Condition("cookie", value, "always")
            else:
                yield Condition(part, name, value, kind)


def compared(place: "Fields") -> tuple[str, str]:
    """Read a text that is compared: return it, and whether in full or as a regular expression."""
    found = [(kind, place.text(kind)) for kind in ("exact", "prefix", "suffix", "regex") if place.has(kind)]
    if len(found) != 1:
        place.problem("needs one of exact, prefix, suffix and regex")
        return "", EXACT
    kind, text = found[0]
    plain = _SPECIAL.sub(r"\\\1", text)
    written = {"exact": text, "prefix": f"^{plain}.*", "suffix": f".*{plain}$", "regex": text}
    return written[kind], EXACT if kind == "exact" else REGEX
