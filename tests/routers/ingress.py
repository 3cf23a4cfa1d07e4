"""What four controllers do with Ingresses, one of which may be the canary of another; from what their vendors say.

ingress-nginx  https://kubernetes.github.io/ingress-nginx/user-guide/nginx-configuration/annotations/#canary, and for
               what it accepts in an annotation internal/ingress/annotations/{canary/main.go,parser/validators.go}
Higress        https://higress.cn/en/docs/latest/user/annotation-use-case, pkg/ingress/kube/annotations/canary.go
MSE            https://www.alibabacloud.com/help/en/mse/user-guide/advanced-usage-of-mse-ingress, which calls itself
               compatible with both
ALB            https://www.alibabacloud.com/help/en/cs/user-guide/use-alb-ingresses-to-perform-canary-releases-1 and
               …/customize-the-routing-rules-of-an-alb-ingress-1; model_build_listener_rules.go of its controller
"""

import ipaddress
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple

from tests.routers.meaning import Request

Ingress = Mapping[str, Any]

NGINX, ALB = "nginx.ingress.kubernetes.io/", "alb.ingress.kubernetes.io/"


@dataclass(frozen=True)
class From(Request):
    """A request, and the address that it comes from."""

    source: str = "203.0.113.7"


class Arrival(NamedTuple):
    """Where a request ends, and with which headers."""

    service: str
    port: int | str
    headers: frozenset[tuple[str, str]]


class Place(NamedTuple):
    """One path of one rule; no host is for every host that no rule names."""

    host: str
    path: str
    kind: str
    service: str
    port: int | str
    of: Ingress


def route(controller: str, ingresses: Sequence[Ingress], request: Request) -> dict[Arrival, Fraction]:
    """Return where such requests arrive, and how many of them; nothing where no rule holds."""
    shares: Counter[Arrival] = Counter()
    for place, amount in CONTROLLERS[controller](ingresses, request):
        headers = frozenset(_changed(controller, place.of, request).items())
        shares[Arrival(place.service, place.port, headers)] += amount
    return {arrival: Fraction(amount) for arrival, amount in shares.items() if amount}


# What all of them read ------------------------------------------------------------------------------------------------


def _annotations(ingress: Ingress) -> Mapping[str, str]:
    return ingress["metadata"].get("annotations") or {}


def _places(ingress: Ingress) -> Iterator[Place]:
    for rule in ingress["spec"].get("rules") or ():
        for path in (rule.get("http") or {}).get("paths") or ():
            kind = path.get("pathType", "ImplementationSpecific")
            service, port = _backend(path["backend"])
            yield Place(rule.get("host") or "", path.get("path", "/"), kind, service, port, ingress)


def _backend(backend: Mapping[str, Any]) -> tuple[str, int | str]:
    port = backend["service"]["port"]
    return backend["service"]["name"], port.get("number") or port["name"]


def _default(ingress: Ingress) -> Iterator[Place]:
    if backend := ingress["spec"].get("defaultBackend"):
        yield Place("", "/", "Default", *_backend(backend), ingress)


def _host(written: str, host: str) -> bool:
    if written.startswith("*."):
        return host.partition(".")[2] == written[2:]
    return written in ("", host)


def _serving(places: Sequence[Place], request: Request) -> Iterator[Place]:
    """Yield the places of the host that is nearest to that of a request: itself, with a wildcard, any."""
    hosts = {place.host for place in places if _host(place.host, request.host)}
    best = max(hosts, key=lambda host: (bool(host), not host.startswith("*")), default=None)
    return (place for place in places if place.host == best)


def _within(prefix: str, path: str) -> bool:
    bare = prefix.removesuffix("/")
    return path == bare or path.startswith(bare + "/")


def _is_canary(ingress: Ingress, *prefixes: str) -> bool:
    return any(_annotations(ingress).get(prefix + "canary") == "true" for prefix in prefixes)


def _apart(ingresses: Sequence[Ingress], *prefixes: str) -> tuple[list[Ingress], list[Ingress]]:
    marked = [_is_canary(each, *prefixes) for each in ingresses]
    stable = [each for each, mark in zip(ingresses, marked, strict=True) if not mark]
    return stable, [each for each, mark in zip(ingresses, marked, strict=True) if mark]


# ingress-nginx --------------------------------------------------------------------------------------------------------


def _nginx(ingresses: Sequence[Ingress], request: Request) -> Iterator[tuple[Place, Fraction]]:
    stable, canaries = _apart(ingresses, NGINX)
    places = [place for each in stable for place in _places(each)]
    defaults = [place for each in stable for place in _default(each)]
    found = [place for place in _serving(places, request) if _nginx_path(place, request.path)]
    chosen = max(found, key=lambda place: (place.kind == "Exact", len(place.path.rstrip("/"))), default=None)
    for place in [chosen] if chosen else defaults[:1]:
        canary = _nginx_canary(place, [*places, *defaults], canaries)
        part = _nginx_share(canary, request) if canary else Fraction(0)
        yield place, 1 - part
        if canary:
            yield canary, part


def _nginx_path(place: Place, path: str) -> bool:
    if place.kind == "Exact":
        return place.path == path
    return _within(place.path, path) if place.kind == "Prefix" else path.startswith(place.path)


def _nginx_canary(place: Place, places: Sequence[Place], canaries: Sequence[Ingress]) -> Place | None:
    """Return the first canary of a Service and port: they have it for every place, and only the first one counts."""
    for canary in canaries:
        for twin in [*_places(canary), *_default(canary)]:
            for other in places:
                if other[:3] == twin[:3] and other[3:5] == place[3:5] and twin[3:5] != place[3:5]:
                    return twin
    return None


def _nginx_share(canary: Place, request: Request) -> Fraction:
    read = lambda word, accepted: _accepted(_annotations(canary.of).get(f"{NGINX}canary-{word}", ""), accepted)
    plain = r"[-._~a-zA-Z0-9/: ]*"
    value, pattern = read("by-header-value", plain), read("by-header-pattern", r"[-._~a-zA-Z0-9/:^$\[\](){}*+?|&=\\]*")
    name = read("by-header", plain).lower().replace("-", "_")
    sent = {key.replace("-", "_"): text for key, text in request.headers.items() if "_" not in key}.get(name)
    if sent is not None:
        asked = sent == value if value else bool(re.search(pattern, sent)) if pattern else sent == "always"
        if asked:
            return Fraction(1)
        if not value and not pattern and sent == "never":
            return Fraction(0)
    word = request.cookies.get(read("by-cookie", plain))
    if word in ("always", "never"):
        return Fraction(word == "always")
    return Fraction(int(read("weight", r"\d*") or 0), int(read("weight-total", r"\d*") or 100))


def _accepted(text: str, pattern: str) -> str:
    return text if re.fullmatch(pattern, text) else ""


# Higress and MSE ------------------------------------------------------------------------------------------------------


def _gateway(own: str) -> Callable[[Sequence[Ingress], Request], Iterator[tuple[Place, Fraction]]]:
    def routed(ingresses: Sequence[Ingress], request: Request) -> Iterator[tuple[Place, Fraction]]:
        stable, canaries = _apart(ingresses, NGINX, own)
        places = [_as_prefix(place) for each in stable for place in _places(each)]
        found = [place for place in _serving(places, request) if _gateway_path(place, request.path)]
        best = max(found, key=lambda place: (place.kind == "Exact", len(place.path.rstrip("/"))), default=None)
        if best is None:
            defaults = [place for each in stable for place in _default(each)]
            yield from ((place, Fraction(1)) for place in defaults[:1])
            return
        twins = [_as_prefix(twin) for each in canaries for twin in _places(each)]
        yield from _gateway_shares(best, [twin for twin in twins if twin[:3] == best[:3]], own, request)

    return routed


def _as_prefix(place: Place) -> Place:
    return place if place.kind == "Exact" else place._replace(kind="Prefix", path=place.path.rstrip("/") or "/")


def _gateway_path(place: Place, path: str) -> bool:
    return place.path == path if place.kind == "Exact" else _within(place.path, path)


def _gateway_shares(
    best: Place, twins: Sequence[Place], own: str, request: Request
) -> Iterator[tuple[Place, Fraction]]:
    """Yield what the first canary with conditions gets, else what those with weights leave to the stable place."""
    left = Fraction(1)
    weighed: list[tuple[Place, Fraction]] = []
    for twin in twins:
        asked = _gateway_asks(twin.of, own, request)
        if asked:
            yield twin, Fraction(1)
            return
        if asked is None:
            read = {**_canary_words(twin.of, own), **_canary_words(twin.of, NGINX)}
            part = Fraction(int(read.get("weight", 0)), int(read.get("weight-total", 100)))
            left -= part
            weighed.append((twin, part))
    yield best, left
    yield from weighed


def _canary_words(ingress: Ingress, prefix: str) -> dict[str, str]:
    start = prefix + "canary-"
    return {key.removeprefix(start): text for key, text in _annotations(ingress).items() if key.startswith(start)}


def _gateway_asks(canary: Ingress, own: str, request: Request) -> bool | None:
    """Tell whether a request is as a canary asks, None where it asks for nothing. A header comes before a cookie."""
    read = {**_canary_words(canary, own), **_canary_words(canary, NGINX)}
    query = _canary_words(canary, own) if own.startswith("mse.") else {}
    if "by-header" in read or "by-query" in query:
        asked = [_gateway_value(read, "by-header", request.headers), _gateway_value(query, "by-query", request.query)]
        return all(each for each in asked if each is not None)
    if "by-cookie" in read:
        return request.cookies.get(read["by-cookie"]) == "always"
    return None


def _gateway_value(read: Mapping[str, str], word: str, sent: Mapping[str, str]) -> bool | None:
    """Tell whether a header or a parameter is as it is asked for. A value is a part of a regular expression."""
    if word not in read:
        return None
    value = sent.get(read[word].lower() if word == "by-header" else read[word])
    if value is None:
        return False
    if exact := read.get(word + "-value"):
        return bool(re.fullmatch("always|" + exact, value))
    if pattern := read.get(word + "-pattern"):
        return bool(re.fullmatch(".*" + pattern + ".*", value))
    return value == "always"


def _changed(controller: str, ingress: Ingress, request: Request) -> dict[str, str]:
    """Return the headers of a request as the annotations of an Ingress change them: a line, a name, a value."""
    now = dict(request.headers)
    start = OWN.get(controller, "none/") + "request-header-control-"
    read = {key.removeprefix(start): text for key, text in _annotations(ingress).items() if key.startswith(start)}
    for line in read.get("update", "").splitlines():
        name, value = line.split(None, 1)
        now[name.lower()] = value
    for line in read.get("add", "").splitlines():
        name, value = line.split(None, 1)
        now[name.lower()] = f"{now[name.lower()]},{value}" if name.lower() in now else value
    for name in read.get("remove", "").split(","):
        now.pop(name.strip().lower(), None)
    return now


# ALB ------------------------------------------------------------------------------------------------------------------


def _alb(ingresses: Sequence[Ingress], request: Request) -> Iterator[tuple[Place, Fraction]]:
    """Yield what the first rule of a load balancer does that holds; a canary with a weight has no rules of its own."""
    ordered = sorted(
        ingresses, key=lambda each: (int(_annotations(each).get(ALB + "order", 10)), each["metadata"]["name"])
    )
    weighed = [each for each in ordered if _is_canary(each, ALB) and ALB + "canary-weight" in _annotations(each)]
    for ingress in ordered:
        for place in _places(ingress) if ingress not in weighed else ():
            if not _alb_holds(place, request):
                continue
            left = Fraction(1)
            for twin in (twin for each in weighed for twin in _places(each) if twin[:2] == place[:2]):
                if not _is_canary(ingress, ALB):
                    part = Fraction(int(_annotations(twin.of)[ALB + "canary-weight"]), 100)
                    left -= part
                    yield twin, part
            yield place, left
            return


def _alb_holds(place: Place, request: Request) -> bool:
    conditions = _alb_conditions(place)
    values = sum(len(next(iter(each[key]["values"] for key in each if key.endswith("Config")))) for each in conditions)
    assert values + 3 <= 10, "more conditions than a rule may have"
    return (
        _host(place.host, request.host)
        and _alb_path(place, request.path)
        and all(_alb_condition(condition, request) for condition in conditions)
    )


def _alb_conditions(place: Place) -> list[Mapping[str, Any]]:
    read = _annotations(place.of)
    conditions: list[Mapping[str, Any]] = json.loads(read.get(f"{ALB}conditions.{place.service}", "[]"))
    if _is_canary(place.of, ALB) and ALB + "canary-by-header" in read:
        value = read.get(ALB + "canary-by-header-value", "*")
        header = {"key": read[ALB + "canary-by-header"], "values": [value]}
        conditions.append({"type": "Header", "headerConfig": header})
    if _is_canary(place.of, ALB) and ALB + "canary-by-cookie" in read:
        cookie = {"key": read[ALB + "canary-by-cookie"], "value": "always"}
        conditions.append({"type": "Cookie", "cookieConfig": {"values": [cookie]}})
    return conditions


def _alb_path(place: Place, path: str) -> bool:
    if place.kind == "Prefix":
        return _within(place.path, path)
    return place.path == path if place.kind == "Exact" else _wild(place.path, path)


def _alb_condition(condition: Mapping[str, Any], request: Request) -> bool:
    kind = condition["type"]
    config = condition[kind[0].lower() + kind[1:] + "Config"]
    if kind == "Header":
        sent = request.headers.get(config["key"].lower())
        return sent is not None and any(_wild(value, sent) for value in config["values"])
    if kind == "SourceIp":
        source = ipaddress.ip_address(getattr(request, "source", "203.0.113.7"))
        return any(source in ipaddress.ip_network(value) for value in config["values"])
    pairs = {"Cookie": request.cookies, "QueryString": request.query}[kind]
    return any(
        _wild(wanted["key"], name) and _wild(wanted["value"], value)
        for wanted in config["values"]
        for name, value in pairs.items()
    )


def _wild(pattern: str, text: str) -> bool:
    return bool(re.fullmatch(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), text))


OWN = {"higress": "higress.io/", "mse": "mse.ingress.kubernetes.io/"}
CONTROLLERS = {
    "nginx": _nginx,
    "higress": _gateway(OWN["higress"]),
    "mse": _gateway(OWN["mse"]),
    "aliyun-alb": _alb,
}
