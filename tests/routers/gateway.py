"""What a gateway does with an HTTPRoute or a GRPCRoute, as the comments of the Gateway API's Go types say.

https://github.com/kubernetes-sigs/gateway-api/blob/main/apis/v1/httproute_types.go, grpcroute_types.go. What they leave
open is a ``Reading``: a route has to work for every one of them.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from fractions import Fraction
from itertools import product
from typing import Any, NamedTuple

from tests.routers.meaning import Request, changed, leads, satisfied

Rule = Mapping[str, Any]

EVERYTHING = ({"path": {"type": "PathPrefix", "value": "/"}},)


class Reading(NamedTuple):
    """What the API leaves to a gateway."""

    regex_first: bool = True  # a regular expression is tried before the prefixes (Envoy Gateway), else after (Istio)
    regex_length: bool = False  # a longer regular expression is tried first
    slash_counts: bool = True  # a prefix with a trailing "/" is one character longer than without


READINGS = [Reading(*each) for each in product((True, False), repeat=3)]


class Arrival(NamedTuple):
    """Where a request ends, and what it is like there; no Service where a rule answers by itself."""

    service: str
    namespace: str
    port: int | None
    path: str
    headers: frozenset[tuple[str, str]]
    rest: str  # everything else that the rule and the backend say


def route(given: Mapping[str, Any], request: Request, reading: Reading = READINGS[0]) -> dict[Arrival, Fraction]:
    """Return where such requests arrive, and how many of them; nothing where no rule holds."""
    rule, match = _winner(given, request, reading)
    arrivals = defaultdict[Arrival, Fraction](Fraction)
    for backend, amount in _backends(rule) if rule else ():
        arrivals[_arrival(rule, match, backend, request, given)] += amount
    return {arrival: amount for arrival, amount in arrivals.items() if amount}


def copies(given: Mapping[str, Any], request: Request, reading: Reading) -> Counter[tuple[str, Any, int]]:
    """Return where copies of such requests arrive: Service, port and percentage, each as often as it is sent."""
    rule, _ = _winner(given, request, reading)
    sent = [one["requestMirror"] for one in rule.get("filters") or () if "requestMirror" in one]
    return Counter((one["backendRef"]["name"], one["backendRef"].get("port"), one.get("percent", 100)) for one in sent)


def _winner(given: Mapping[str, Any], request: Request, reading: Reading) -> tuple[Rule, Mapping[str, Any]]:
    """Return the rule that a request meets, and the match that holds; two empty ones where none does."""
    grpc = given["kind"] == "GRPCRoute"
    found = [
        (_rank(match, reading, grpc=grpc), -index, rule, match)
        for index, rule in enumerate(given["spec"].get("rules") or ())
        for match in rule.get("matches") or (({},) if grpc else EVERYTHING)
        if _holds(match, request, grpc=grpc)
    ]
    _, _, rule, match = max(found, key=lambda each: each[:2], default=(0, 0, {}, {}))
    return rule, match


def _backends(rule: Rule) -> Iterator[tuple[Mapping[str, Any], Fraction]]:
    """Yield the backends of a rule with their shares. With no weight at all, a request is answered with an error."""
    refs = rule.get("backendRefs") or ()
    total = sum(ref.get("weight", 1) for ref in refs)
    if not total:
        yield {}, Fraction(1)
    for ref in refs:
        if total:
            yield ref, Fraction(ref.get("weight", 1), total)


def _arrival(
    rule: Rule, match: Mapping[str, Any], ref: Mapping[str, Any], request: Request, given: Mapping[str, Any]
) -> Arrival:
    filters = [*(rule.get("filters") or ()), *(ref.get("filters") or ())]
    path, rest = request.path, []
    for one in filters:
        change = one.get("urlRewrite") or one.get("requestRedirect") or {}
        path = _rewritten(change["path"], match, path) if "path" in change else path
        if "requestHeaderModifier" not in one and "requestMirror" not in one:
            rest.append({key: _without_path(value) for key, value in one.items()})
    rest.append({key: value for key, value in rule.items() if key not in ("name", "matches", "filters", "backendRefs")})
    headers = changed(request.headers, (one.get("requestHeaderModifier") for one in filters))
    kind = "" if ref.get("kind", "Service") == "Service" and not ref.get("group") else f"{ref['kind']} "
    return Arrival(
        kind + ref.get("name", ""),
        ref.get("namespace") or given["metadata"].get("namespace") or "",
        ref.get("port"),
        path,
        frozenset(headers.items()),
        json.dumps(rest, sort_keys=True),
    )


def _without_path(change: Any) -> Any:
    return {key: value for key, value in change.items() if key != "path"} if isinstance(change, dict) else change


def _rewritten(change: Mapping[str, str], match: Mapping[str, Any], path: str) -> str:
    """Replace a path, or the prefix of it that has matched. The table of the API has it slash by slash."""
    if change["type"] == "ReplaceFullPath":
        return change["replaceFullPath"]
    rest = path[len(match.get("path", {}).get("value", "/").removesuffix("/")) :]
    replacement = change["replacePrefixMatch"]
    return (replacement.removesuffix("/") + rest if rest else replacement) or "/"


# Matches --------------------------------------------------------------------------------------------------------------


def _holds(match: Mapping[str, Any], request: Request, *, grpc: bool) -> bool:
    return (
        (_called(match, request) if grpc else _asked(match, request))
        and all(satisfied(one, request.headers, any_case=True) for one in _first(match.get("headers"), any_case=True))
        and all(satisfied(one, request.query) for one in _first(match.get("queryParams")))
    )


def _asked(match: Mapping[str, Any], request: Request) -> bool:
    path = match.get("path") or {}
    return match.get("method", request.method) == request.method and leads(
        path.get("type", "PathPrefix"), path.get("value", "/"), request.path
    )


def _called(match: Mapping[str, Any], request: Request) -> bool:
    """Tell whether a call, whose path is ``/service/method``, is of the service and the method that a match names."""
    method = match.get("method") or {}
    kind = method.get("type", "Exact")
    called = dict(zip(("service", "method"), request.path.strip("/").split("/"), strict=True))
    return all(
        satisfied({"name": part, "value": method[part], "type": kind}, called) for part in called if method.get(part)
    )


def _first(conditions: Any, *, any_case: bool = False) -> list[Mapping[str, str]]:
    """Return the conditions that count: of several with one name the first."""
    known: dict[str, Mapping[str, str]] = {}
    for one in conditions or ():
        known.setdefault(one["name"].lower() if any_case else one["name"], one)
    return list(known.values())


def _rank(match: Mapping[str, Any], reading: Reading, *, grpc: bool) -> tuple[int, ...]:
    """Return what is compared where several matches hold: the largest wins, then the first rule."""
    headers = len(match.get("headers") or ())
    if grpc:
        method = match.get("method") or {}
        return len(method.get("service") or ""), len(method.get("method") or ""), headers
    path = match.get("path") or {}
    kind, value = path.get("type", "PathPrefix"), path.get("value", "/")
    length = len(value if reading.slash_counts else value.removesuffix("/"))
    classes = {"Exact": 3, "RegularExpression": 2 if reading.regex_first else 0, "PathPrefix": 1}
    if kind == "Exact" or (kind == "RegularExpression" and not reading.regex_length):
        length = 0
    return classes[kind], length, "method" in match, headers, len(match.get("queryParams") or ())


# What schemas do not say ----------------------------------------------------------------------------------------------


def refusals(given: Mapping[str, Any]) -> list[str]:
    """Return why the API server would refuse a route beyond its schema, by the rules (CEL) in its Go types."""
    rules = given["spec"].get("rules") or []
    names = Counter(rule["name"] for rule in rules if "name" in rule)
    matches = sum(len(rule.get("matches") or EVERYTHING) for rule in rules)
    found = [f"two rules are called {name}" for name, count in names.items() if count > 1]
    found += ["more than 128 matches"] * (matches > 128)
    for rule in rules:
        for holder in (rule, *(rule.get("backendRefs") or ())):
            kinds = Counter(one["type"] for one in holder.get("filters") or () if one["type"] != "ExtensionRef")
            found += [f"filter {kind} twice" for kind, count in kinds.items() if count > 1 and kind != "RequestMirror"]
            found += _refused_rewrites(rule, holder)
    return found


def _refused_rewrites(rule: Rule, holder: Mapping[str, Any]) -> Iterator[str]:
    for one in holder.get("filters") or ():
        change = (one.get("urlRewrite") or one.get("requestRedirect") or {}).get("path") or {}
        paths = [match.get("path", {}).get("type", "PathPrefix") for match in rule.get("matches") or EVERYTHING]
        if change.get("type") == "ReplacePrefixMatch" and paths != ["PathPrefix"]:
            yield "a prefix is replaced that is not the only match"
        member = {"ReplacePrefixMatch": "replacePrefixMatch", "ReplaceFullPath": "replaceFullPath"}
        if change and set(change) != {"type", member[change["type"]]}:
            yield f"a change of the path with {sorted(change)}"
