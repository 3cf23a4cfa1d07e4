"""What Kuma's Envoy does with a TrafficRoute and a MeshHTTPRoute, as the documentation says.

https://kuma.io/docs/2.8.x/policies/traffic-route/ and ../meshhttproute/. The rules of the latter are tried in the order
of the Gateway API, a regular expression after all prefixes; what none holds for goes to the Service itself.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from tests.routers.meaning import Request
from tests.routers.plans import Shares, of_weights

Manifest = Mapping[str, Any]


class Arrival(NamedTuple):
    """Where a request ends, and all else that is done to it."""

    service: str
    more: str = ""
    rest: str = ""


# TrafficRoute ---------------------------------------------------------------------------------------------------------


def traffic_route(given: Manifest, request: Request) -> Shares:
    """Return where such requests arrive: the first item of `http` that holds wins, else the configuration itself."""
    conf = given["spec"]["conf"]
    for one in (*(conf.get("http") or ()), conf):
        if _matched(one.get("match") or {}, request):
            rest = json.dumps(one.get("modify") or {}, sort_keys=True)
            split = one.get("split") or [{"weight": 1, "destination": one["destination"]}]
            return of_weights((_tagged(each["destination"], rest), each["weight"]) for each in split)
    return {}


def connect(given: Manifest) -> Shares:
    """Return where connections arrive that are not HTTP."""
    conf = given["spec"]["conf"]
    split = conf.get("split") or [{"weight": 1, "destination": conf["destination"]}]
    return of_weights((_tagged(each["destination"], ""), each["weight"]) for each in split)


def _tagged(tags: Manifest, rest: str) -> Arrival:
    more = {name: value for name, value in tags.items() if name != "kuma.io/service"}
    return Arrival(tags["kuma.io/service"], json.dumps(more, sort_keys=True), rest)


def _matched(match: Manifest, request: Request) -> bool:
    return (
        _text(match.get("path"), request.path)
        and _text(match.get("method"), request.method)
        and all(_text(one, request.headers.get(name.lower())) for name, one in (match.get("headers") or {}).items())
    )


def _text(one: Manifest | None, value: str | None) -> bool:
    if one is None:
        return True
    if value is None:
        return False
    if "regex" in one:
        return bool(re.fullmatch(one["regex"], value))
    return value == one["exact"] if "exact" in one else value.startswith(one["prefix"])


# MeshHTTPRoute --------------------------------------------------------------------------------------------------------


def mesh_http_route(given: Manifest, request: Request, to: str) -> Shares:
    """Return where such requests to a Service arrive."""
    for target in given["spec"]["to"]:
        if _named(target["targetRef"])[0] == to:
            held = [(rank, rule) for rank, match, rule in _spread(target["rules"]) if _held(match, request)]
            if held:
                return _served(min(held, key=lambda one: one[0])[1], target["targetRef"])
            return of_weights([(Arrival(*_named(target["targetRef"])), 1)])
    return {}


def _spread(rules: list[Manifest]) -> Iterator[tuple[tuple[Any, ...], Manifest, Manifest]]:
    """Yield every match with its place in the order; rules that ask for the same are one for Kuma."""
    texts = [json.dumps(rule["matches"], sort_keys=True) for rule in rules]
    assert len(set(texts)) == len(texts), "two rules ask for the same"
    for number, rule in enumerate(rules):
        for at, match in enumerate(rule["matches"]):
            yield (*_rank(match), number, at), match, rule


def _rank(match: Manifest) -> tuple[Any, ...]:
    path = match.get("path") or {"type": "", "value": ""}
    kind = ("Exact", "PathPrefix", "RegularExpression", "").index(path["type"])
    length = 0 if path["type"] == "Exact" else -len(path["value"])
    counts = (-len(match.get("headers") or ()), -len(match.get("queryParams") or ()))
    return kind, length, 0 if match.get("method") else 1, *counts


def _served(rule: Manifest, target: Manifest) -> Shares:
    default = rule["default"]
    rest = json.dumps(default.get("filters") or [], sort_keys=True)
    if any(each["type"] == "RequestRedirect" for each in default.get("filters") or ()):
        return of_weights([(Arrival("", "", rest), 1)])
    refs = default.get("backendRefs") or [target]
    return of_weights((Arrival(*_named(ref), rest), ref.get("weight", 1)) for ref in refs)


def _named(ref: Manifest) -> tuple[str, str]:
    """Return the Service that is meant, and all else that a reference says."""
    labels = dict(ref.get("labels") or {})
    name = ref.get("name") or labels.pop("kuma.io/display-name", "")
    tagged = re.fullmatch(r"(.+)_([^_]+)_svc_?(\d*)", name)
    more = {key: value for key, value in ref.items() if key not in ("name", "labels", "weight", "kind")}
    if tagged:
        name, more = tagged[1], more | {"namespace": tagged[2], "port": tagged[3]}
    return name, json.dumps([more, labels], sort_keys=True)


def _held(match: Manifest, request: Request) -> bool:
    return (
        _on_path(match.get("path"), request.path)
        and match.get("method", request.method) == request.method
        and all(_header(one, request.headers.get(one["name"].lower())) for one in _firsts(match.get("headers") or ()))
        and all(_says(one, request.query.get(one["name"])) for one in match.get("queryParams") or ())
    )


def _firsts(headers: Any) -> Iterator[Manifest]:
    """Yield the first of each name; Kuma forgets the others."""
    seen = set()
    for one in headers:
        if one["name"].lower() not in seen:
            seen.add(one["name"].lower())
            yield one


def _on_path(path: Manifest | None, asked: str) -> bool:
    if path is None:
        return True
    if path["type"] == "Exact":
        return bool(asked == path["value"])
    if path["type"] == "RegularExpression":
        return bool(re.fullmatch(path["value"], asked))
    return f"{asked}/".startswith(f"{path['value'].rstrip('/')}/")


def _header(one: Manifest, value: str | None) -> bool:
    kind = one.get("type", "Exact")
    if kind in ("Present", "Absent"):
        return (value is not None) == (kind == "Present")
    return value.startswith(one["value"]) if kind == "Prefix" and value is not None else _says(one, value)


def _says(one: Manifest, value: str | None) -> bool:
    if value is None:
        return False
    if one.get("type", "Exact") == "RegularExpression":
        return bool(re.fullmatch(one["value"], value))
    return value == one["value"]
