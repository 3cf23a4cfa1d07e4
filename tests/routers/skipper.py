"""What Skipper does with Ingresses, as its documentation says.

https://opensource.zalan.do/skipper/kubernetes/ingress-usage/, ../reference/predicates/ and
../tutorials/basics/#route-matching: the most specific path first, then the route with most predicates.
"""

import json
import re
from collections.abc import Iterator, Mapping
from fractions import Fraction
from itertools import pairwise
from typing import Any, NamedTuple

from tests.routers.meaning import Request
from tests.routers.plans import Shares

Manifest = Mapping[str, Any]
ANNOTATION = "zalando.org/"


class Arrival(NamedTuple):
    """Where a request ends, and the filters that it passes."""

    service: str
    port: int
    filters: str = ""


class Route(NamedTuple):
    """One path of an Ingress: where it stands, what it asks for, for which part of all requests, and where it leads."""

    kind: str
    path: str
    host: str
    predicates: tuple[tuple[str, ...], ...]
    start: Fraction
    end: Fraction
    arrival: Arrival


def route(ingresses: list[Manifest], request: Request) -> Shares:
    """Return where such requests arrive, and how many of them."""
    held = [one for each in ingresses for one in _routes(each) if _holds(one, request)]
    marks = sorted({mark for one in held for mark in (one.start, one.end)})
    found: Shares = {}
    for start, end in pairwise(marks):
        there = [one for one in held if one.start <= start and end <= one.end]
        if not there:
            continue
        best = max(_importance(one) for one in there)
        first, *equals = {one.arrival for one in there if _importance(one) == best}
        assert not equals, "which of two routes comes first is not said"
        found[first] = found.get(first, Fraction(0)) + end - start
    return found


def _routes(ingress: Manifest) -> Iterator[Route]:
    notes = ingress["metadata"].get("annotations") or {}
    weights = json.loads(notes.get(f"{ANNOTATION}backend-weights", "{}"))
    predicates = tuple(_parsed(notes.get(f"{ANNOTATION}skipper-predicate", "")))
    filters = notes.get(f"{ANNOTATION}skipper-filter", "")
    for rule in ingress["spec"].get("rules") or ():
        paths = rule["http"]["paths"]
        for one in paths:
            names = [each["backend"]["service"]["name"] for each in paths if each["path"] == one["path"]]
            service = one["backend"]["service"]
            start, end = _segment(names, {name: Fraction(weights.get(name, 0)) for name in names}, service["name"])
            arrival = Arrival(service["name"], service["port"]["number"], filters)
            if start != end:
                yield Route(one["pathType"], one["path"], rule.get("host", ""), predicates, start, end, arrival)


def _segment(names: list[str], weights: dict[str, Fraction], name: str) -> tuple[Fraction, Fraction]:
    """Return for which part of all requests a backend is; where all weights are 0, all are equal."""
    total = sum(weights.values())
    if not total:
        weights, total = dict.fromkeys(names, Fraction(1)), Fraction(len(names))
    start = sum((weights[each] for each in names[: names.index(name)]), Fraction(0))
    return start / total, (start + weights[name]) / total


def _importance(one: Route) -> tuple[int, int, int]:
    """Return the length of the path in segments, and the number of predicates with all that adds to it."""
    extra = sum(int(args[0]) if name == "Weight" else 1 for name, *args in one.predicates)
    whole = one.end - one.start == 1
    return (
        len([each for each in one.path.split("/") if each]),
        one.kind == "Exact",
        extra + bool(one.host) + (not whole),
    )


def _holds(one: Route, request: Request) -> bool:
    if one.host and one.host != request.host:
        return False
    if one.kind == "Exact":
        on_path = request.path == one.path
    else:
        on_path = f"{request.path}/".startswith(f"{one.path.rstrip('/')}/")
    return on_path and all(_true(name, args, request) for name, *args in one.predicates)


def _true(name: str, args: list[str], request: Request) -> bool:
    if name == "Weight":
        return True
    if name == "False":
        return False
    if name == "PathRegexp":
        return bool(re.search(args[0], request.path))
    values = {"Cookie": request.cookies, "QueryParam": request.query}.get(name, request.headers)
    value = values.get(args[0].lower() if name.startswith("Header") else args[0])
    if value is None:
        return False
    return value == args[1] if name == "Header" else bool(re.search(args[1], value))


def _parsed(text: str) -> Iterator[tuple[str, ...]]:
    """Yield the predicates of ``Name("text", 1) && …``; in a text a backslash is written twice, and before a quote."""
    for name, inner in re.findall(r'(\w+)\(((?:"(?:\\.|[^"\\])*"|[^")])*)\)', text):
        args = re.findall(r'"((?:\\.|[^"\\])*)"|(\d+)', inner)
        yield (name, *(re.sub(r"\\(.)", r"\1", quoted) if quoted or not number else number for quoted, number in args))
