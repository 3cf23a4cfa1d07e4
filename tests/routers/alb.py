"""What the AWS Load Balancer Controller makes of an Ingress, and what its load balancer does with a request.

https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/ingress/spec/         the order of rules
https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/ingress/annotations/  actions, conditions
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-condition-types.html     what conditions mean
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from tests.routers.meaning import Request
from tests.routers.plans import Shares, of_weights

Manifest = Mapping[str, Any]

PREFIX = "alb.ingress.kubernetes.io/"


class Arrival(NamedTuple):
    """Where a request ends, and what is changed in it before."""

    service: str
    port: str
    rest: str


class Rule(NamedTuple):
    """A rule of the load balancer: all conditions have to hold, of each any value."""

    conditions: list[tuple[str, Any, list[Any]]]
    shares: Shares


def route(ingress: Manifest, request: Request) -> Shares:
    """Return where such requests arrive, and how many of them: by the first rule that holds, or else by the default."""
    for rule in rules(ingress):
        if all(any(HOLDS[kind](key, value, request) for value in values) for kind, key, values in rule.conditions):
            return rule.shares
    default = ingress["spec"].get("defaultBackend")
    return _shares(ingress, default) if default else {}


def rules(ingress: Manifest) -> Iterator[Rule]:
    """Yield the rules in the order in which they are tried."""
    for rule in ingress["spec"].get("rules") or ():
        for path in _sorted((rule.get("http") or {}).get("paths") or ()):
            yield Rule(_conditions(ingress, rule, path), _shares(ingress, path["backend"]))


def _sorted(paths: Any) -> list[Manifest]:
    exact = [path for path in paths if path.get("pathType") == "Exact"]
    prefixes = [path for path in paths if path.get("pathType") == "Prefix"]
    others = [path for path in paths if path.get("pathType", "ImplementationSpecific") == "ImplementationSpecific"]
    return exact + sorted(prefixes, key=lambda path: -len(path["path"])) + others


def _patterns(path: Manifest) -> list[str]:
    text = path.get("path") or "/*"
    if path.get("pathType") != "Prefix":
        return [text]
    bare = text.removesuffix("/")
    return [bare, f"{bare}/*"] if bare else ["/*"]


def _said(ingress: Manifest, word: str, name: str) -> Any:
    text = (ingress["metadata"].get("annotations") or {}).get(f"{PREFIX}{word}.{name}")
    return _lowered(json.loads(text)) if text else None


def _lowered(said: Any) -> Any:
    """Return what was said with all names in lower case, since Go takes them in any case."""
    if isinstance(said, dict):
        return {key.lower(): _lowered(value) for key, value in said.items()}
    return [_lowered(one) for one in said] if isinstance(said, list) else said


def _conditions(ingress: Manifest, rule: Manifest, path: Manifest) -> list[tuple[str, Any, list[Any]]]:
    """Return what a path asks for; what it says of hosts and paths twice may be either."""
    once: dict[str, list[Any]] = {"path-pattern": _patterns(path)}
    if rule.get("host"):
        once["host-header"] = [rule["host"]]
    found: list[tuple[str, Any, list[Any]]] = []
    for one in _said(ingress, "conditions", path["backend"]["service"]["name"]) or ():
        config = next(value for value in one.values() if isinstance(value, dict))
        if one["field"] in ("path-pattern", "host-header"):
            once.setdefault(one["field"], []).extend(config["values"])
        else:
            found.append((one["field"], config.get("httpheadername"), config["values"]))
    return [(kind, None, values) for kind, values in once.items()] + found


def _shares(ingress: Manifest, backend: Manifest) -> Shares:
    name, port = backend["service"]["name"], backend["service"]["port"]
    rest = (ingress["metadata"].get("annotations") or {}).get(f"{PREFIX}transforms.{name}", "")
    if port.get("name") != "use-annotation":
        return of_weights([(Arrival(name, str(port.get("number") or port.get("name")), f"{rest}null"), 1)])
    action = _said(ingress, "actions", name)
    if action["type"] != "forward":
        return of_weights([(Arrival(json.dumps(action, sort_keys=True), "", rest), 1)])
    groups, sticky = action["forwardconfig"]["targetgroups"], action["forwardconfig"].get("targetgroupstickinessconfig")
    rest += json.dumps(sticky, sort_keys=True)
    alone = len(groups) == 1
    return of_weights(
        (
            Arrival(group.get("servicename") or group["targetgrouparn"], str(group.get("serviceport")), rest),
            1 if alone else group["weight"],
        )
        for group in groups
    )


def _like(pattern: str, text: str, *, any_case: bool) -> bool:
    parts = {"*": ".*", "?": "."}
    regex = "".join(parts.get(char) or re.escape(char) for char in pattern)
    return bool(re.fullmatch(regex, text, re.IGNORECASE if any_case else 0))


def _header(name: str, value: str, request: Request) -> bool:
    return name.lower() in request.headers and _like(value, request.headers[name.lower()], any_case=True)


HOLDS: Mapping[str, Callable[[Any, Any, Request], bool]] = {
    "path-pattern": lambda _, value, request: _like(value, request.path, any_case=False),
    "host-header": lambda _, value, request: _like(value, request.host, any_case=True),
    "http-header": _header,
    "http-request-method": lambda _, value, request: value == request.method,
    "query-string": lambda _, pair, request: any(
        _like(pair["value"], value, any_case=True) and _like(pair.get("key", "*"), key, any_case=True)
        for key, value in request.query.items()
    ),
}


def refusals(ingress: Manifest) -> list[str]:
    """Return why a load balancer would not take what is made of an Ingress."""
    found = []
    for rule in rules(ingress):
        count = sum(len(values) for _, _, values in rule.conditions)
        found += [f"{count} values"] * (count > 5)
    for key, text in (ingress["metadata"].get("annotations") or {}).items():
        name = key.partition("/")[2]
        found += [f"{name} is too long"] * (len(name) > 63)
        action = _lowered(json.loads(text)) if "actions." in name else {}
        groups = action.get("forwardconfig", {}).get("targetgroups", [])
        found += [f"{len(groups)} target groups"] * (len(groups) > 5)
        found += [f"{name}: no weight" for one in groups if len(groups) > 1 and not 0 <= one.get("weight", -1) <= 999]
    return found
