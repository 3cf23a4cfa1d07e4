"""What Flagger makes for the Gateway API: an HTTPRoute, called like the apex Service."""

from krmfn.fields import Fields

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from krmfn.dialects.flagger.reader import Reader
    from krmfn.krm.item import Manifest

GROUP = "gateway.networking.k8s.io"
EVERYTHING = {"path": {"type": "PathPrefix", "value": "/"}}
# Istio's words for how a text is compared, and the Gateway API's.
PATHS = {"exact": "Exact", "prefix": "PathPrefix", "regex": "RegularExpression"}
TEXTS = {"exact": "Exact", "regex": "RegularExpression"}


def http_route(reader: "Reader") -> "Iterator[Manifest]":
    """Yield it. Notes as a problem what of the service it cannot say."""
    place = reader.service
    if not place.at("gatewayRefs").value:
        place.at("gatewayRefs").problem(f"is required: with the provider {reader.provider} it names the gateways")
    spec: Manifest = {"parentRefs": place.at("gatewayRefs").value or []}
    if place.has("hosts"):
        spec["hostnames"] = place.at("hosts").value
    version = reader.provider.partition(":")[2]
    yield {
        "apiVersion": f"{GROUP}/{version}",
        "kind": "HTTPRoute",
        "metadata": reader.metadata(reader.apex),
        "spec": spec | {"rules": [_rule(reader)]},
    }


def _rule(reader: "Reader") -> "Manifest":
    place = reader.service
    rule: Manifest = {"matches": [_match(entry) for entry in place.sequence("match")] or [EVERYTHING]}
    if filters := list(_filters(place)):
        rule["filters"] = filters
    rule["backendRefs"] = [_backend(reader, reader.primary, 100), _backend(reader, reader.canary, 0)]
    times = {"request": place.text("timeout"), "backendRequest": place.text("backendTimeout")}
    if timeouts := {key: value for key, value in times.items() if value}:
        rule["timeouts"] = timeouts
    return rule


def _backend(reader: "Reader", name: str, weight: int) -> "Manifest":
    return {"group": "", "kind": "Service", "name": name, "port": reader.port, "weight": weight}


def _match(place: Fields) -> "Manifest":
    found: Manifest = {}
    for key in place.names():
        if key not in ("uri", "method", "headers", "queryParams", "name"):
            place.at(key).problem("is not what an HTTPRoute looks at; use uri, method, headers or queryParams")
    if place.has("uri"):
        kind, value = _compared(place.mapping("uri"), PATHS)
        found["path"] = {"type": kind, "value": value}
    if place.has("method"):
        kind, found["method"] = _compared(place.mapping("method"), {"exact": "Exact"})
    for key in ("headers", "queryParams"):
        entries = place.mapping(key)
        named = {name: _compared(entries.mapping(name), TEXTS) for name in entries.names()}
        if named:
            found[key] = [{"type": kind, "name": name, "value": value} for name, (kind, value) in named.items()]
    return found


def _compared(place: Fields, kinds: dict[str, str]) -> tuple[str, str]:
    for kind, word in kinds.items():
        if place.has(kind):
            return word, place.text(kind)
    place.problem(f"needs {' or '.join(kinds)}; an HTTPRoute compares in no other way")
    return "", ""


def _filters(place: Fields) -> "Iterator[Manifest]":
    headers = place.mapping("headers")
    for key, kind in (("request", "RequestHeaderModifier"), ("response", "ResponseHeaderModifier")):
        if changes := headers.mapping(key):
            yield {"type": kind, f"{kind[0].lower()}{kind[1:]}": _modifier(changes)}
    if rewrite := place.mapping("rewrite"):
        yield {"type": "URLRewrite", "urlRewrite": _rewrite(rewrite)}
    for mirror in place.sequence("mirror"):
        yield {"type": "RequestMirror", "requestMirror": mirror.value}
    if cors := place.mapping("corsPolicy"):
        yield {"type": "CORS", "cors": _cors(cors)}


def _modifier(place: Fields) -> "Manifest":
    found: Manifest = {}
    for key in ("set", "add"):
        if values := place.labels(key):
            found[key] = [{"name": name, "value": value} for name, value in values.items()]
    if place.has("remove"):
        found["remove"] = place.at("remove").value
    return found


def _rewrite(place: Fields) -> "Manifest":
    found: Manifest = {"hostname": place.text("authority")} if place.has("authority") else {}
    if place.has("uri"):
        prefix = place.text("type") == "ReplacePrefixMatch"
        kind, key = ("ReplacePrefixMatch", "replacePrefixMatch") if prefix else ("ReplaceFullPath", "replaceFullPath")
        found["path"] = {"type": kind, key: place.text("uri")}
    return found


def _cors(place: Fields) -> "Manifest":
    if place.has("allowOrigins"):
        place.at("allowOrigins").problem("is not what an HTTPRoute knows; list the origins in allowOrigin")
    own = ("allowOrigin", "allowOrigins", "maxAge")
    found: Manifest = {key: place.at(key).value for key in place.names() if key not in own}
    if place.has("allowOrigin"):
        found["allowOrigins"] = place.at("allowOrigin").value
    if place.has("maxAge"):
        age = place.text("maxAge")
        seconds = age.removesuffix("s")
        if not seconds.isdigit():
            place.at("maxAge").problem(f"{age!r} is no number of seconds, such as 3600s")
        else:
            found["maxAge"] = int(seconds)
    return found
