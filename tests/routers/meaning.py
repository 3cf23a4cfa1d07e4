"""What a stage means, in terms of one request: the one meaning that all providers have to give it.

``matches`` are OR-ed, the conditions inside one AND-ed; what matches goes to the canary, and of the rest ``weight``
percent. Written from the design; shares no code with krmfn.
"""

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

# How many plans a provider is tried with.
PLANS = int(os.environ.get("KRMFN_ROUTERS") or (1000 if os.environ.get("CI") else 200))

PARTS = {"headers": "headers", "queryParams": "query", "cookies": "cookies", "callers": "labels"}


@dataclass(frozen=True)
class Request:
    """What a client asks for, and the labels of its pod. The names of headers are in lower case; nothing is twice."""

    path: str = "/"
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    cookies: Mapping[str, str] = field(default_factory=dict)
    method: str = "GET"
    host: str = "example.com"
    labels: Mapping[str, str] = field(default_factory=dict)


def holds(match: Mapping[str, Any], request: Request) -> bool:
    """Tell whether a request satisfies all conditions of one match of a stage.

    A regular expression is about the whole value; Envoy says so, others search, so tests that compare routers write
    ``^…$``.
    """
    method = match.get("method")
    if method and not satisfied({**method, "name": "method"}, {"method": request.method}):
        return False
    path = match.get("path")
    if path and not leads(path.get("type", "PathPrefix"), path.get("value", "/"), request.path):
        return False
    return all(
        satisfied(condition, getattr(request, where), any_case=part == "headers")
        for part, where in PARTS.items()
        for condition in match.get(part) or ()
    )


def satisfied(condition: Mapping[str, str], values: Mapping[str, str], *, any_case: bool = False) -> bool:
    """Tell whether one of the values of a request is as a condition says: ``{name, value, type}``."""
    value = values.get(condition["name"].lower() if any_case else condition["name"])
    if value is None:
        return False
    if condition.get("type", "Exact") == "RegularExpression":
        return bool(re.fullmatch(condition["value"], value))
    return value == condition["value"]


def leads(kind: str, value: str, path: str) -> bool:
    """Tell whether a path is within one of a rule: Exact, PathPrefix (element by element) or RegularExpression."""
    if kind == "Exact":
        return path == value
    if kind == "RegularExpression":
        return bool(re.fullmatch(value, path))
    prefix = value.removesuffix("/")
    return path == prefix or path.startswith(prefix + "/")


def share(stage: Mapping[str, Any], request: Request) -> Fraction:
    """Return how much of what the stable Service gets of such requests without a rollout is the canary's at a stage."""
    if stage.get("neutral"):
        return Fraction(0)
    if any(holds(match, request) for match in stage.get("matches") or ()):
        return Fraction(1)
    return Fraction(stage.get("weight") or 0, 100)


def changed(headers: Mapping[str, str], modifiers: Iterable[Mapping[str, Any] | None]) -> dict[str, str]:
    """Return the headers of a request after modifiers ``{set, add, remove}``, one after the other."""
    now = dict(headers)
    for modifier in modifiers:
        for header in (modifier or {}).get("set") or ():
            now[header["name"].lower()] = header["value"]
        for header in (modifier or {}).get("add") or ():
            name = header["name"].lower()
            now[name] = f"{now[name]},{header['value']}" if name in now else header["value"]
        for name in (modifier or {}).get("remove") or ():
            now.pop(name.lower(), None)
    return now
