"""What a provider is told about a stage: plain words and numbers, complete, and nothing of a rollout."""

from krmfn.isolation import short
from krmfn.traffic import REGEX, Condition, Match

TYPE_CHECKING = False
if TYPE_CHECKING:
    from krmfn.krm.item import Manifest
    from krmfn.plan import Modifier, Pair, Traffic

    Marks = tuple[str, str]

PARTS = {"header": "headers", "query": "queryParams", "cookie": "cookies", "caller": "callers"}
METHOD = "method"


def brief(traffic: "Traffic", services: "Pair", name: str, pods: "Manifest", marks: "Marks" = ("", "")) -> "Manifest":
    """Return the ``stage`` of a script.

    ``name`` is for a route object of the canary's own, ``pods`` its metadata, ``marks`` tell the visitors of each side
    (stable, canary) from those of any other release.
    """
    told: Manifest = {
        "name": short(name, 253),
        "stableService": services.stable,
        "canaryService": short(services.canary),
        "matches": [_match(match) for match in traffic.matches],
        "neutral": not traffic.reaches,
        "podMetadata": pods,
    }
    if traffic.weight or (traffic.weight is not None and not traffic.matches):
        told["weight"] = traffic.weight
    if traffic.modifier:
        told["headerModifier"] = _modifier(traffic.modifier)
    if mirror := traffic.mirror:
        told["mirror"] = {"percent": mirror.percent, "matches": [_match(match) for match in mirror.matches]}
    if sticky := traffic.sticky:
        told["setCookie"] = f"{sticky.cookie}={marks[1]}; {sticky.attributes}"
        told["matches"].append(_has_cookie(sticky.cookie, marks[1]))
        if sticky.stable:
            cookie = f"{sticky.stable}={marks[0]}; {sticky.attributes}"
            told["stay"] = {"setCookie": cookie, "match": _has_cookie(sticky.stable, marks[0])}
    if services.stable == services.canary:
        told["subset"] = services.subsets.canary
        if services.subsets.stable:
            told["stableSubset"] = services.subsets.stable
    return told


def _modifier(modifier: "Modifier") -> "Manifest":
    pairs = {"set": modifier.set, "add": modifier.add}
    found: Manifest = {k: [{"name": n, "value": v} for n, v in p] for k, p in pairs.items()}
    return found | {"remove": list(modifier.remove)}


def _has_cookie(name: str, value: str) -> "Manifest":
    return _match(Match((Condition("header", "cookie", f".*{name}={value}.*", REGEX),)))


def _match(match: Match) -> "Manifest":
    found: Manifest = {"headers": [], "queryParams": [], "cookies": []}
    for one in match.conditions:
        if one.part == METHOD:
            found[METHOD] = {"value": one.value, "type": one.type}
        else:
            found.setdefault(PARTS[one.part], []).append({"name": one.name, "value": one.value, "type": one.type})
    if match.path:
        found["path"] = {"type": match.path[0], "value": match.path[1]}
    return found
