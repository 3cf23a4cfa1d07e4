"""What Contour's Envoy does with an HTTPProxy, as its documentation says.

https://projectcontour.io/docs/main/config/request-routing/. Where it is silent (which route is tried first), as
Contour does: internal/sorter/sorter.go.
"""

import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from tests.routers.meaning import Request
from tests.routers.plans import Shares, of_weights

Manifest = Mapping[str, Any]


class Arrival(NamedTuple):
    """Where a request ends, and all else that its route says."""

    service: str
    port: int
    rest: str = ""


def route(proxy: Manifest, request: Request) -> Shares:
    """Return where such requests arrive, and how many of them."""
    held = [one for one in proxy["spec"].get("routes") or () if _holds(one.get("conditions") or (), request)]
    if not held:
        return {}
    best = max(importance(one) for one in held)
    first, *equals = [_served(one) for one in held if importance(one) == best]
    assert all(one == first for one in equals), "which of two routes comes first is not said"
    return first


def connect(proxy: Manifest) -> Shares:
    """Return where connections arrive that are not looked into."""
    return _shares((proxy["spec"].get("tcpproxy") or {}).get("services") or (), "")


def _served(one: Manifest) -> Shares:
    rest = {key: value for key, value in one.items() if key not in ("conditions", "services")}
    mirrors = [each for each in one.get("services") or () if each.get("mirror")]
    text = json.dumps([rest, mirrors], sort_keys=True)
    if not one.get("services"):
        return of_weights([(Arrival("", 0, text), 1)])
    return _shares(one["services"], text)


def _shares(services: Any, rest: str) -> Shares:
    """Divide by weights: unwritten is 0, and where all are 0, all are equal. Mirrors get copies only."""
    real = [each for each in services if not each.get("mirror")]
    even = not any(each.get("weight") for each in real)
    return of_weights(
        (Arrival(each["name"], each["port"], rest), 1 if even else each.get("weight", 0)) for each in real
    )


def _path(one: Manifest) -> tuple[str, str]:
    for condition in one.get("conditions") or ():
        for kind in ("exact", "regex", "prefix"):
            if kind in condition:
                return kind, condition[kind]
    return "prefix", "/"


def importance(one: Manifest) -> tuple[Any, ...]:
    """Return how important a route is: its kind of path, the path as text, and how much it asks for beside."""
    kind, path = _path(one)
    conditions = one.get("conditions") or ()
    headers = sum("header" in condition for condition in conditions)
    params = sum("queryParameter" in condition for condition in conditions)
    return ("prefix", "regex", "exact").index(kind), path, headers, params


def _holds(conditions: Any, request: Request) -> bool:
    return all(_says(condition, request) for condition in conditions)


def _says(condition: Manifest, request: Request) -> bool:
    if "header" in condition:
        one = condition["header"]
        return _text(one, request.headers.get(one["name"].lower()))
    if "queryParameter" in condition:
        one = condition["queryParameter"]
        return _text(one, request.query.get(one["name"]))
    if "exact" in condition:
        return request.path == condition["exact"]
    if "regex" in condition:
        return bool(re.fullmatch(condition["regex"], request.path))
    return request.path.startswith(condition["prefix"])


def _text(one: Manifest, value: str | None) -> bool:
    """Tell whether a header or parameter is as asked; those that deny something hold where there is none."""
    if one.get("notpresent"):
        return value is None
    if "notexact" in one:
        return value != one["notexact"]
    if "notcontains" in one:
        return value is None or one["notcontains"] not in value
    if value is None:
        return False
    return (
        one.get("exact", value) == value
        and one.get("contains", "") in value
        and value.startswith(one.get("prefix", ""))
        and value.endswith(one.get("suffix", ""))
        and bool(re.fullmatch(one.get("regex", ".*"), value))
    )
