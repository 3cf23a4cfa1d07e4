"""What F5's NGINX does with a VirtualServer, as its documentation says.

https://docs.nginx.com/nginx-ingress-controller/configuration/virtualserver-and-virtualserverroute-resources/: exact
paths first, then the longest prefix; `matches` in their order. A text is compared whatever its case; ``~`` is a regular
expression that is searched for, ``!`` denies, and what is missing is an empty text.
"""

import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from tests.routers.meaning import Request
from tests.routers.plans import Shares, of_weights

Manifest = Mapping[str, Any]


class Arrival(NamedTuple):
    """Where a request ends, and all else that is done to it."""

    service: str
    port: int
    rest: str = ""


def route(server: Manifest, request: Request) -> Shares:
    """Return where such requests arrive, and how many of them."""
    held = [one for one in server["spec"].get("routes") or () if _on_path(one["path"], request.path)]
    if not held:
        return {}
    best = max(held, key=lambda one: (one["path"].startswith("="), len(one["path"])))
    for item in (*(best.get("matches") or ()), best):
        if all(_holds(one, request) for one in item.get("conditions") or ()):
            return _served(server, item)
    return {}


def _served(server: Manifest, item: Manifest) -> Shares:
    splits = item.get("splits") or [{"weight": 100, "action": item["action"]}]
    assert sum(each["weight"] for each in splits) == 100
    assert len(splits) > 1 or not item.get("splits")
    return of_weights((_place(server, each["action"]), each["weight"]) for each in splits)


def _place(server: Manifest, action: Manifest) -> Arrival:
    proxy = action.get("proxy") or {}
    name = action.get("pass") or proxy.get("upstream")
    if not name:
        return Arrival("", 0, json.dumps(action, sort_keys=True))
    (upstream,) = [each for each in server["spec"]["upstreams"] if each["name"] == name]
    more = {key: value for key, value in upstream.items() if key not in ("name", "service", "port")}
    changes = {key: value for key, value in proxy.items() if key != "upstream"}
    return Arrival(upstream["service"], upstream["port"], json.dumps([more, changes], sort_keys=True))


def _on_path(wanted: str, path: str) -> bool:
    return path == wanted[1:] if wanted.startswith("=") else path.startswith(wanted)


def _holds(condition: Manifest, request: Request) -> bool:
    if "header" in condition:
        value = request.headers.get(condition["header"].lower(), "")
    elif "cookie" in condition:
        value = request.cookies.get(condition["cookie"], "")
    elif "argument" in condition:
        value = request.query.get(condition["argument"], "")
    else:
        value = {"$request_method": request.method}[condition["variable"]]
    asked = condition["value"]
    if asked.startswith("!"):
        return not _is(asked[1:], value)
    return _is(asked, value)


def _is(asked: str, value: str) -> bool:
    if asked.startswith("~*"):
        return bool(re.search(asked[2:], value, re.IGNORECASE))
    if asked.startswith("~"):
        return bool(re.search(asked[1:], value))
    return asked.lower() == value.lower()
