"""Istio as a router: which rules of a VirtualService the author wants divided, by Service or by subset, and whether."""

from krmfn.dialects.argo.nginx import either
from krmfn.errors import KrmfnError
from krmfn.fields import Fields
from krmfn.krm.item import Ref
from krmfn.plan import Pair, Route, Subsets

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from krmfn.dialects.argo.reader import Reader

    Side = tuple[str, str]

GROUP, KIND, RULES = "networking.istio.io", "VirtualService", "DestinationRule"


def istio(reader: "Reader", pair: Pair) -> "Iterator[Route]":
    """Yield each VirtualService, and the DestinationRule where subsets tell the sides apart."""
    place = reader.routing.mapping("istio")
    shared = _subsets(reader, place.mapping("destinationRule"))
    for entry in either(place, "virtualService", "virtualServices"):
        written = entry.text("name", required=True).removesuffix(".cluster.local")
        name, _, namespace = written.rpartition(".") if "." in written else (written, "", "")
        if namespace and namespace != reader.namespace:
            entry.at("name").problem(f"is in namespace {namespace}; a route has to be in that of the Rollout")
        item = reader.scene.lookup(Ref(f"{GROUP}/v1", KIND, reader.namespace, name))
        spec = Fields(item.value, item.ref).mapping("spec") if item else Fields(None)
        chosen = _chosen(spec, pair, shared)
        if item:
            _http(entry, spec, name, chosen)
            _connections(entry, spec, name, chosen)
        yield Route(GROUP, KIND, name, "", chosen, f"{entry.path}.name")
    if shared:
        rule = place.mapping("destinationRule")
        yield Route(GROUP, RULES, rule.text("name"), "", shared, f"{rule.path}.name")


def _subsets(reader: "Reader", place: Fields) -> Pair | None:
    """Return the Service that both sides share, with its subsets, as the DestinationRule says."""
    if not place:
        return None
    canary = place.text("canarySubsetName", required=True)
    stable = place.text("stableSubsetName", required=True)
    name = place.text("name", required=True)
    if canary and canary == stable:
        place.at("canarySubsetName").problem(f"{canary} is the stable subset as well; name two")
    try:
        by = reader.top.ref or Ref("", "", "", "")
        item = reader.scene.require(Ref(f"{GROUP}/v1", RULES, reader.namespace, name), by, f"{place.path}.name")
    except KrmfnError as problem:
        place.at("name").problem(problem.message)
        return None
    spec = Fields(item.value, item.ref, problems=reader.top.problems).mapping("spec", required=True)
    labels = {subset.text("name"): subset.labels("labels") for subset in spec.sequence("subsets")}
    for side, subset in (("Canary", canary), ("Stable", stable)):
        if subset not in labels:
            place.problem(f"{side} DestinationRule subset '{subset}' not found in {name}")
    host, _, rest = spec.text("host", required=True).partition(".")
    if host.startswith("*") or rest.partition(".")[0] not in ("", reader.namespace):
        place.at("name").problem(f"the host of {name} is no Service in the namespace of the Rollout")
    subsets = Subsets(canary, stable, tuple(labels.get(stable, {}).items()))
    return Pair(host, host, f"{place.path}.name", subsets=subsets)


def _chosen(spec: Fields, pair: Pair, shared: Pair | None) -> Pair:
    """Return the Services between which a VirtualService divides: one with subsets where it names the stable subset."""
    rules = [rule for protocol in ("http", "tls", "tcp") for rule in spec.sequence(protocol)]
    if shared and any(_stable(shared) in _sides(rule, shared) for rule in rules):
        return shared
    return pair if pair.stable or not shared else shared


def _stable(pair: Pair) -> "Side":
    return (pair.stable, pair.subsets.stable) if pair.stable == pair.canary else (pair.stable, "")


def _canary(pair: Pair) -> "Side":
    return (pair.canary, pair.subsets.canary) if pair.stable == pair.canary else (pair.canary, "")


def _sides(rule: Fields, pair: Pair) -> "set[Side]":
    """Return where a rule leads: Services, and their subsets where those tell the sides apart."""
    found = [entry.mapping("destination") for entry in rule.sequence("route")]
    shared = pair.stable == pair.canary
    return {(one.text("host").partition(".")[0], one.text("subset") if shared else "") for one in found}


def _http(entry: Fields, spec: Fields, name: str, pair: Pair) -> None:
    """Hold that the routes named are those that lead to the stable side, and that each leads to both."""
    rules = list(spec.sequence("http"))
    written = entry.at("routes").value
    named = [str(route) for route in written] if isinstance(written, list) else []
    there = {rule.text("name") for rule in rules}
    for route in named:
        if route not in there:
            entry.at("routes").problem(f"HTTP Route '{route}' is not found in the defined Virtual Service.")
    leading = [rule for rule in rules if _stable(pair) in _sides(rule, pair)]
    if not named and leading[1:]:
        entry.at("routes").problem(f"is required: {len(leading)} http routes of {name} lead to {pair.stable}")
    for rule in leading:
        if named and rule.text("name") not in named:
            message = f"{rule.path} of {name} leads to {pair.stable} as well and is not named; it would be divided too"
            entry.at("routes").problem(message)
    for rule in [rule for rule in rules if rule.text("name") in named] or leading:
        _check_sides(entry, rule, name, pair)


def _connections(entry: Fields, spec: Fields, name: str, pair: Pair) -> None:
    """Hold that of the tls and tcp routes those are selected which lead to the stable side; one needs no selection."""
    for protocol in ("tls", "tcp"):
        leading = [rule for rule in spec.sequence(protocol) if _stable(pair) in _sides(rule, pair)]
        asked = [(_number(one), _names(one)) for one in entry.sequence(f"{protocol}Routes")]
        left = [rule for rule in leading if not any(_is(rule, port, names) for port, names in asked)]
        if left and (asked or leading[1:]):
            message = (
                f"{left[0].path} of {name} leads to {pair.stable} as well and is not selected; it would be divided"
            )
            entry.at(f"{protocol}Routes").problem(f"{message} too")
        if asked and not leading:
            entry.at(f"{protocol}Routes").problem(f"No matching {protocol.upper()} routes found in {name}")
        for rule in leading:
            _check_sides(entry, rule, name, pair)


def _number(one: Fields) -> int | None:
    return one.whole("port")


def _names(one: Fields) -> set[str]:
    written = one.at("sniHosts").value
    return {str(name) for name in written} if isinstance(written, list) else set()


def _is(rule: Fields, port: int | None, names: set[str]) -> bool:
    """Tell whether a selector means a rule: by the port, and by all of the names, where it has them."""
    for match in rule.sequence("match"):
        if port in (None, _number(match)) and names in (set(), _names(match)):
            return True
    return port is None and not names


def _check_sides(entry: Fields, rule: Fields, name: str, pair: Pair) -> None:
    sides, shared = _sides(rule, pair), pair.stable == pair.canary
    for word, (service, subset) in (("Canary", _canary(pair)), ("Stable", _stable(pair))):
        if (service, subset) not in sides:
            what = f"{word} DestinationRule subset '{subset}'" if shared else f"{word} Service '{service}'"
            entry.problem(f"{what} not found in route ({rule.path} of {name})")
