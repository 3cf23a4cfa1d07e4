"""What APISIX does with the rules of an ApisixRoute, as its documentation says.

https://apisix.apache.org/docs/apisix/router-radixtree/  a full path is tried before a prefix, a deep prefix before a
    shallow one; of routes for one path the one with the highest priority; and what it asks for has to hold as well
https://apisix.apache.org/docs/ingress-controller/references/apisix_route_v2/  what a rule asks for, and its backends
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from itertools import product
from typing import Any, NamedTuple

from tests.routers.meaning import Request

Manifest = Mapping[str, Any]


class Reading(NamedTuple):
    """What depends on the installation: whether hosts are looked at before paths; and who is first among equals."""

    host_first: bool = True
    last_first: bool = False


READINGS = [Reading(*each) for each in product((True, False), repeat=2)]


class Arrival(NamedTuple):
    """Where a request ends; `rest` is all else that the rule says."""

    name: str
    place: str
    rest: str


OPERATORS: Mapping[str, Callable[[str | None, Mapping[str, Any]], bool]] = {
    "Equal": lambda found, one: found == one["value"],
    "NotEqual": lambda found, one: found != one["value"],
    "In": lambda found, one: found in one["set"],
    "RegexMatch": lambda found, one: found is not None and bool(re.search(one["value"], found)),
}


def route(given: Manifest, request: Request, reading: Reading = READINGS[0]) -> dict[Arrival, Fraction]:
    """Return where such requests arrive, and how many of them; nothing where no rule holds."""
    tried = [
        (*key, rule.get("priority", 0), index if reading.last_first else -index, rule)
        for index, rule in enumerate(given["spec"].get("http") or ())
        for key in _places(rule, request, reading)
        if _holds(rule["match"], request)
    ]
    if not tried:
        return {}
    rule = max(tried, key=lambda one: one[:-1])[-1]
    found: dict[Arrival, Fraction] = {}
    parts = list(_parts(rule))
    total = sum(weight for *_, weight in parts)
    for name, place, weight in parts:
        if weight:
            arrival = Arrival(name, place, _rest(rule))
            found[arrival] = found.get(arrival, Fraction(0)) + Fraction(weight, total)
    return found


def _places(rule: Manifest, request: Request, reading: Reading) -> Iterator[tuple[tuple[int, int], ...]]:
    """Yield how early a rule is tried by the hosts and paths of it that a request has."""
    for host in rule["match"].get("hosts") or ("*",):
        wild = host.removeprefix("*")
        if not (request.host == host or (host.startswith("*") and request.host.endswith(wild))):
            continue
        by_host = (int(wild == host), len(wild)) if reading.host_first else (0, 0)
        for path in rule["match"]["paths"]:
            start = path.removesuffix("*")
            if request.path == path:
                yield by_host, (1, 0)
            elif start != path and request.path.startswith(start):
                yield by_host, (0, len(start))


def _holds(match: Manifest, request: Request) -> bool:
    methods = match.get("methods") or [request.method]
    return request.method in methods and all(_expressed(one, request) for one in match.get("exprs") or ())


def _expressed(one: Manifest, request: Request) -> bool:
    name = one["subject"].get("name", "")
    headers = {key.lower().replace("-", "_"): value for key, value in request.headers.items()}
    found = {
        "Header": headers.get(name.lower().replace("-", "_")),
        "Query": request.query.get(name),
        "Cookie": request.cookies.get(name),
        "Path": request.path,
    }[one["subject"]["scope"]]
    return OPERATORS[one["op"]](found, one)


def _parts(rule: Manifest) -> Iterator[tuple[str, str, int]]:
    """Yield who gets how much of what a rule gets: one alone all, several by their weights."""
    backends = [
        (each["serviceName"], json.dumps([each["servicePort"], each.get("subset")]), each.get("weight", 100))
        for each in rule.get("backends") or ()
    ]
    upstreams = [(each["name"], "upstream", each.get("weight", 100)) for each in rule.get("upstreams") or ()]
    both = backends + upstreams
    yield from both if len(both) > 1 else ((name, place, 1) for name, place, _ in both)


def _rest(rule: Manifest) -> str:
    left = {key: rule[key] for key in rule if key not in ("name", "match", "priority", "backends", "upstreams")}
    return json.dumps(left, sort_keys=True)


def refusals(given: Manifest) -> list[str]:
    """Return why the controller would not take an object."""
    names = [rule["name"] for rule in given["spec"].get("http") or ()]
    return [f"{name} is there twice" for name in set(names) if names.count(name) > 1]
