"""What App Mesh does with a VirtualRouter, as its documentation says.

https://docs.aws.amazon.com/app-mesh/latest/userguide/routes.html. Routes without a priority come last, the longest
prefix first (aws/aws-app-mesh-roadmap, issue 77).
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

    node: str
    port: int | None
    rest: str = ""


def route(router: Manifest, request: Request) -> Shares:
    """Return where such requests arrive, and how many of them."""
    held = [one for one in router["spec"].get("routes") or () if "httpRoute" in one and _holds(one, request)]
    if not held:
        return {}
    best = min(_order(one) for one in held)
    first, *equals = [_served(one["httpRoute"]) for one in held if _order(one) == best]
    assert all(one == first for one in equals), "which of two routes comes first is not said"
    return first


def call(router: Manifest, metadata: Mapping[str, str]) -> Shares:
    """Return where calls with such metadata arrive; a route that asks for nothing has all of them."""
    ways = [one for one in router["spec"].get("routes") or () if "grpcRoute" in one]
    for one in sorted(ways, key=lambda one: one.get("priority", 1001)):
        asked = one["grpcRoute"]["match"].get("metadata") or ()
        if all(_says(each, metadata.get(each["name"].lower())) for each in asked):
            return _served(one["grpcRoute"])
    return {}


def connect(router: Manifest) -> Shares:
    """Return where connections arrive, of which nothing but the port is known."""
    for one in router["spec"].get("routes") or ():
        if "tcpRoute" in one:
            return _served(one["tcpRoute"])
    return {}


def _order(one: Manifest) -> tuple[int, int]:
    return one.get("priority", 1001), -len(one["httpRoute"]["match"].get("prefix", ""))


def _served(of: Manifest) -> Shares:
    rest = json.dumps({key: value for key, value in of.items() if key not in ("match", "action")}, sort_keys=True)
    return of_weights(
        (Arrival(each["virtualNodeRef"]["name"], each.get("port"), rest), each["weight"])
        for each in of["action"]["weightedTargets"]
    )


def _holds(one: Manifest, request: Request) -> bool:
    match = one["httpRoute"]["match"]
    path = match.get("path") or {}
    return (
        request.path.startswith(match.get("prefix", ""))
        and path.get("exact", request.path) == request.path
        and bool(re.fullmatch(path.get("regex", ".*"), request.path))
        and match.get("method", request.method) == request.method
        and all(_says(each, request.headers.get(each["name"].lower())) for each in match.get("headers") or ())
        and all(_says(each, request.query.get(each["name"])) for each in match.get("queryParameters") or ())
    )


def _says(one: Manifest, value: str | None) -> bool:
    """Tell whether a header is as asked; one without a value to compare has to be there."""
    asked = one.get("match") or {}
    found = value is not None and (
        asked.get("exact", value) == value
        and value.startswith(asked.get("prefix", ""))
        and value.endswith(asked.get("suffix", ""))
        and bool(re.fullmatch(asked.get("regex", ".*"), value))
    )
    return found != one.get("invert", False)
