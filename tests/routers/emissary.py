"""What Emissary does with Mappings, as its documentation says.

https://www.getambassador.io/docs/emissary/latest/topics/using/canary           weights
https://www.getambassador.io/docs/emissary/latest/topics/using/headers/headers  what is asked of headers
https://www.getambassador.io/docs/emissary/latest/topics/using/mappings         prefixes, and the order of Mappings

Where it is silent (how much longer one question is than another), as python/ambassador/ir/irhttpmapping.py does.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from tests.routers.meaning import Request
from tests.routers.plans import Shares, of_weights

Manifest = Mapping[str, Any]
Question = tuple[str, str, str | None]

ASKS = ("headers", "regex_headers", "query_parameters", "regex_query_parameters")


class Arrival(NamedTuple):
    """Where a request ends, and all else that its Mapping says."""

    service: str
    rest: str


def route(mappings: Sequence[Manifest], request: Request) -> Shares:
    """Return where such requests arrive, and how many of them: by the group that is tried first."""
    groups = defaultdict[Any, list[Manifest]](list)
    for mapping in mappings:
        if _holds(mapping["spec"], request):
            groups[_key(mapping["spec"])].append(mapping)
    if not groups:
        return {}
    first = max(groups, key=lambda key: _rank(groups[key][0]["spec"]))
    return of_weights(_shares(groups[first]))


def _shares(group: Sequence[Manifest]) -> Iterable[tuple[Arrival, int]]:
    """Yield how much each Mapping of a group gets: what its weight says, or its part of what is left of a hundred."""
    written = [one["spec"].get("weight") for one in group]
    left = 100 - sum(weight or 0 for weight in written)
    assert left >= 0, "more than 100 percent"
    for mapping, weight in zip(group, written, strict=True):
        part = left // written.count(None) if weight is None else weight
        yield _arrival(mapping["spec"]), 100 if len(group) == 1 else part


def _arrival(spec: Manifest) -> Arrival:
    left = {key: value for key, value in spec.items() if key not in (*ASKS, "service", "weight", "v2BoolHeaders")}
    return Arrival(spec["service"], json.dumps(left, sort_keys=True))


def _questions(spec: Manifest) -> list[tuple[str, Question]]:
    """Return what is asked for: of headers or of parameters, for a value, an expression, or (None) for any value."""
    found = []
    for field in ASKS:
        for name, value in (spec.get(field) or {}).items():
            any_value = value is True or name in (spec.get("v2BoolHeaders") or ())
            kind = "regex" if field.startswith("regex") else "exact"
            part = "query" if "query" in field else "headers"
            found.append((part, (name.lower() if part == "headers" else name, kind, None if any_value else value)))
    return found


def _key(spec: Manifest) -> Any:
    method = (spec.get("method"), spec.get("host"), spec.get("precedence", 0))
    return spec["prefix"], spec.get("prefix_exact"), method, tuple(sorted(_questions(spec), key=str))


def _rank(spec: Manifest) -> tuple[int, ...]:
    lengths = {"headers": 0, "query": 0}
    for part, (name, _, value) in _questions(spec):
        lengths[part] += len(name) + 1 + len(value or "")
    for name in ("method", "host"):
        lengths["headers"] += len(f":{name}") + 1 + len(spec[name]) if name in spec else 0
    return spec.get("precedence", 0), len(spec["prefix"]), lengths["headers"], lengths["query"]


def _holds(spec: Manifest, request: Request) -> bool:
    path, prefix = request.path, spec["prefix"]
    return (
        (path == prefix if spec.get("prefix_exact") else path.startswith(prefix))
        and spec.get("method", request.method) == request.method
        and spec.get("host", request.host) == request.host
        and all(_answers(part, question, request) for part, question in _questions(spec))
    )


def _answers(part: str, question: Question, request: Request) -> bool:
    name, kind, wanted = question
    headers = dict(request.headers)
    if request.cookies:
        headers["cookie"] = "; ".join(f"{key}={value}" for key, value in request.cookies.items())
    value = (request.query if part == "query" else headers).get(name)
    if value is None or wanted is None:
        return value is not None
    return bool(re.fullmatch(wanted, value)) if kind == "regex" else value == wanted
