"""What Gloo's Envoy does with a RouteTable and with Upstreams as discovery names them, as its documentation says.

https://docs.solo.io/gloo-edge/latest/guides/traffic_management/. A matcher with an empty value asks for presence.
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
    by: str
    rest: str = ""


def route(table: Manifest, request: Request, parent: str = "/") -> Shares:
    """Return where such requests arrive; the first route wins. ``parent`` is the path for those that inherit one."""
    for one in table["spec"].get("routes") or ():
        inherits = one.get("inheritablePathMatchers")
        matchers = one.get("matchers") or [{} if inherits else {"prefix": "/"}]
        if any(_holds({"prefix": parent, **each} if inherits else each, request) for each in matchers):
            return _served(one)
    return {}


def _served(one: Manifest) -> Shares:
    rest = {key: value for key, value in one.items() if key not in ("matchers", "routeAction", "name")}
    action = one.get("routeAction") or {}
    text = json.dumps(rest, sort_keys=True)
    if "single" in action:
        return of_weights([(_place(action["single"], text), 1)])
    if "multi" in action:
        return of_weights(
            (_place(each["destination"], text), each["weight"]) for each in action["multi"]["destinations"]
        )
    return of_weights([(Arrival("", 0, "", text), 1)])


def _place(destination: Manifest, rest: str) -> Arrival:
    if "kube" in destination:
        return Arrival(destination["kube"]["ref"]["name"], destination["kube"]["port"], "kube", rest)
    name = destination["upstream"]["name"]
    discovered = re.fullmatch(r"demo-(.+)-(\d+)", name)
    if discovered:
        return Arrival(discovered[1], int(discovered[2]), "upstream", rest)
    return Arrival(name, 0, "upstream", rest)


def _holds(match: Manifest, request: Request) -> bool:
    return (
        _on_path(match, request.path)
        and request.method in (match.get("methods") or [request.method])
        and all(_says(one, request.headers.get(one["name"].lower())) for one in match.get("headers") or ())
        and all(_says(one, request.query.get(one["name"])) for one in match.get("queryParameters") or ())
    )


def _on_path(match: Manifest, path: str) -> bool:
    kind = next(kind for kind in ("exact", "prefix", "regex") if kind in match)
    wanted = match[kind]
    if kind == "regex":
        return bool(re.fullmatch(wanted, path))
    if match.get("caseSensitive") is False:
        wanted, path = wanted.lower(), path.lower()
    return path == wanted if kind == "exact" else path.startswith(wanted)


def _says(one: Manifest, value: str | None) -> bool:
    if one.get("value", "") == "":
        found = value is not None
    elif value is None:
        found = False
    else:
        found = bool(re.fullmatch(one["value"], value)) if one.get("regex") else value == one["value"]
    return found != one.get("invertMatch", False)
