"""What a proxy of Istio does with VirtualServices and DestinationRules, as their reference says.

https://istio.io/latest/docs/reference/config/networking/virtual-service/ and ../destination-rule/. Where it is silent,
as istiod does: pilot/pkg/networking/core/route/route.go and pilot/pkg/networking/util/util.go.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, NamedTuple

from tests.routers.meaning import Request

Manifest = Mapping[str, Any]

NAMESPACE = "demo"  # of everything that does not say its own
POLICY = ("connectionPool", "loadBalancer", "outlierDetection", "tls")


@dataclass(frozen=True)
class Call(Request):
    """A request, and the proxy that routes it: of a gateway, or ("mesh") of a pod with labels."""

    port: int = 80
    gateway: str = "mesh"


@dataclass(frozen=True)
class Connection:
    """What is known of a connection that is not HTTP; without `sni` it is not TLS either."""

    port: int = 443
    sni: str = ""
    gateway: str = "mesh"
    labels: Mapping[str, str] = field(default_factory=dict)


class Arrival(NamedTuple):
    """Where a request ends, and what it is like there; no host where a rule answers by itself."""

    host: str
    subset: str
    port: int | None
    pods: str  # the labels that choose the pods, as JSON; "undefined" where no subset has this name
    policy: str  # how the proxy talks to them, as JSON
    path: str = ""
    headers: frozenset[tuple[str, str]] = frozenset()
    rest: str = ""  # everything else that the rule and the destination say


Shares = dict[Arrival, Fraction]


def route(given: Manifest, rules: Iterable[Manifest], call: Call) -> Shares:
    """Return where such requests arrive by the HTTP rules of a VirtualService, and how many of them.

    The first rule wins of which one match holds. ``rules`` are the DestinationRules beside it.
    """
    rule, match = _first(given, call)
    return _served(given, list(rules), rule, match, call) if rule else {}


def copies(given: Manifest, call: Call) -> dict[tuple[str, str, int | None], Fraction]:
    """Return where copies of such requests arrive (host, subset, port), and of how many of them."""
    rule, _ = _first(given, call)
    policies = [{"destination": rule["mirror"], "percentage": rule.get("mirrorPercentage")}] if "mirror" in rule else []
    assert not (policies and "mirrors" in rule), "the API server refuses both"
    found = {}
    for policy in (*policies, *(rule.get("mirrors") or ())):
        destination = policy["destination"]
        place = whole(destination["host"], given), destination.get("subset", "")
        share = Fraction((policy.get("percentage") or {"value": 100})["value"], 100)
        found[(*place, (destination.get("port") or {}).get("number"))] = share
    return found


def _first(given: Manifest, call: Call) -> tuple[Manifest, Manifest]:
    """Return the first rule that holds, and the first of its matches that does; two empty ones where none does."""
    for rule in given["spec"].get("http") or ():
        for match in rule.get("match") or ({},):
            if _holds(match, call):
                return rule, match
    return {}, {}


def connect(given: Manifest, rules: Iterable[Manifest], connection: Connection) -> Shares:
    """Return where such connections arrive by the TLS and TCP rules of a VirtualService, and how many of them."""
    kind = "tls" if connection.sni else "tcp"
    for rule in given["spec"].get(kind) or ():
        if any(_admits(match, connection) for match in rule.get("match") or ({},)):
            found: Counter[Arrival] = Counter()
            for entry, share in _shares(rule["route"]):
                found[_place(given, list(rules), entry["destination"], connection.port)] += share
            return {arrival: Fraction(share) for arrival, share in found.items()}
    return {}


def _served(given: Manifest, rules: list[Manifest], rule: Manifest, match: Manifest, call: Call) -> Shares:
    own = ("match", "name", "route", "headers", "rewrite", "mirror", "mirrors", "mirrorPercentage")
    rest = {key: value for key, value in rule.items() if key not in own}
    rest["response"] = (rule.get("headers") or {}).get("response")
    rest["authority"] = (rule.get("rewrite") or {}).get("authority")
    if not rule.get("route"):
        return {Arrival("", "", None, "", "", call.path, frozenset(), json.dumps(rest, sort_keys=True)): Fraction(1)}
    found: Counter[Arrival] = Counter()
    for entry, share in _shares(rule["route"]):
        headers = _changed(_sent(call), rule, entry, alone=len(rule["route"]) == 1)
        more = {**rest, "destination": (entry.get("headers") or {}).get("response")}
        found[
            _place(given, rules, entry["destination"], call.port)._replace(
                path=_rewritten(rule.get("rewrite") or {}, match.get("uri") or {}, call.path),
                headers=frozenset(headers.items()),
                rest=json.dumps(more, sort_keys=True),
            )
        ] += share
    return {arrival: Fraction(share) for arrival, share in found.items()}


def _shares(entries: list[Manifest]) -> Iterator[tuple[Manifest, Fraction]]:
    """Yield the destinations that get anything: a single one everything, several by their weights."""
    if len(entries) == 1:
        yield entries[0], Fraction(1)
        return
    total = sum(entry.get("weight", 0) for entry in entries)
    for entry in entries:
        if entry.get("weight", 0):
            yield entry, Fraction(entry["weight"], total)


def _rewritten(rewrite: Manifest, uri: Manifest, path: str) -> str:
    """Replace what matched of the path: the prefix (``/`` where nothing is asked), or all of it."""
    if change := rewrite.get("uriRegexRewrite"):
        return re.sub(change["match"], change["rewrite"], path)
    if not rewrite.get("uri"):
        return path
    matched = len(path) if "exact" in uri or "regex" in uri else len(uri.get("prefix", "/"))
    return str(rewrite["uri"]) + path[matched:]


def _changed(headers: dict[str, str], rule: Manifest, entry: Manifest, *, alone: bool) -> dict[str, str]:
    """Change headers as a rule and a destination say.

    Only one destination: what both remove is removed, then the rule's additions come, then the destination's. Several:
    the destination's changes, then the rule's.
    """
    first, second = ((one.get("headers") or {}).get("request") or {} for one in (rule, entry))
    if alone:
        _remove(headers, first)
        _remove(headers, second)
        _put(headers, first)
        _put(headers, second)
        return headers
    for request in (second, first):
        _remove(headers, request)
        _put(headers, request)
    return headers


def _remove(headers: dict[str, str], request: Manifest) -> None:
    for name in request.get("remove") or ():
        headers.pop(name.lower(), None)


def _put(headers: dict[str, str], request: Manifest) -> None:
    for name, value in (request.get("set") or {}).items():
        headers[name.lower()] = value
    for name, value in (request.get("add") or {}).items():
        now = headers.get(name.lower())
        headers[name.lower()] = value if now is None else f"{now},{value}"


# Matches --------------------------------------------------------------------------------------------------------------


def _sent(call: Call) -> dict[str, str]:
    cookie = "; ".join(f"{name}={value}" for name, value in call.cookies.items())
    return {**call.headers, **({"cookie": cookie} if cookie else {})}


def _holds(match: Manifest, call: Call) -> bool:
    headers = _sent(call)
    return (
        _is_for(match, call)
        and _says(match.get("uri"), call.path, any_case=match.get("ignoreUriCase", False))
        and _says(match.get("method"), call.method)
        and _says(match.get("authority"), call.host)
        and all(_says(one, headers.get(name.lower())) for name, one in (match.get("headers") or {}).items())
        and not any(
            _denies(one, headers.get(name.lower())) for name, one in (match.get("withoutHeaders") or {}).items()
        )
        and all(_says(one, call.query.get(name)) for name, one in (match.get("queryParams") or {}).items())
    )


def _is_for(match: Manifest, call: Call | Connection) -> bool:
    """Tell whether a match is about this proxy and port; with ``gateways``, the labels of pods do not matter."""
    if match.get("port") not in (None, call.port):
        return False
    if match.get("gateways"):
        return call.gateway in match["gateways"]
    return (match.get("sourceLabels") or {}).items() <= call.labels.items()


def _says(condition: Manifest | None, value: str | None, *, any_case: bool = False) -> bool:
    """Tell whether a text is as a condition says. One that says nothing, or ``*``, asks that there be one."""
    if condition is None:
        return True
    if value is None:
        return False
    if "regex" in condition:
        return condition["regex"] == "*" or bool(re.fullmatch(condition["regex"], value))
    for kind, compare in (("exact", str.__eq__), ("prefix", str.startswith)):
        if kind in condition:
            wanted = condition[kind]
            return bool(compare(value.lower(), wanted.lower()) if any_case else compare(value, wanted))
    return True


def _denies(condition: Manifest, value: str | None) -> bool:
    """Tell whether a header is as ``withoutHeaders`` says; one that is missing counts as empty."""
    present = not condition or condition.get("regex") == "*"
    return value is not None if present else _says(condition, value or "")


def _admits(match: Manifest, connection: Connection) -> bool:
    names = match.get("sniHosts")
    return _is_for(match, connection) and (
        not names
        or any(connection.sni == name or (name[0] == "*" and connection.sni.endswith(name[1:])) for name in names)
    )


# Destinations ---------------------------------------------------------------------------------------------------------


def whole(host: str, given: Manifest) -> str:
    """Return a host as ``service.namespace``, from any way to write it."""
    labels = host.split(".")
    if labels[2:] not in ([], ["svc"], ["svc", "cluster", "local"]):
        return host
    namespace = given["metadata"].get("namespace", NAMESPACE)
    return f"{labels[0]}.{labels[1] if labels[1:] else namespace}"


def _place(given: Manifest, rules: list[Manifest], destination: Manifest, listener: int) -> Arrival:
    host, subset = whole(destination["host"], given), destination.get("subset", "")
    port = (destination.get("port") or {}).get("number")
    found = [rule for rule in rules if whole(rule["spec"]["host"], rule) == host]
    assert len(found) <= 1, f"two rules for {host}"
    spec = found[0]["spec"] if found else {}
    chosen = next((each for each in spec.get("subsets") or () if each["name"] == subset), {} if not subset else None)
    pods = "undefined" if chosen is None else json.dumps(chosen.get("labels") or {}, sort_keys=True)
    policy = _policy(spec.get("trafficPolicy") or {}, (chosen or {}).get("trafficPolicy"), port or listener)
    return Arrival(host, subset, port, pods, json.dumps(policy, sort_keys=True))


def _policy(general: Manifest, special: Manifest | None, port: int) -> Manifest:
    """Return the policy for a port: a port's own replaces that of all ports, a subset's lies over both."""
    base, _ = _at_port(general, port)
    if special is None:
        return base
    over, replaces = _at_port(special, port)
    return over if replaces else {**base, **over}


def _at_port(policy: Manifest, port: int) -> tuple[dict[str, Any], bool]:
    for one in policy.get("portLevelSettings") or ():
        if one["port"]["number"] == port:
            return {part: one[part] for part in POLICY if part in one}, True
    return {part: policy[part] for part in POLICY if part in policy}, False
