"""Ingresses as routers: of nginx, where the canary has one of its own, and of AWS, which get annotations."""

from krmfn.krm.item import Ref
from krmfn.plan import EXACT, REGEX, Condition, Match, Route
from krmfn.results import WARNING, Result

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from krmfn.dialects.argo.reader import Reader
    from krmfn.fields import Fields
    from krmfn.plan import Pair

NGINX, ALB = "nginx.ingress.kubernetes.io", "alb.ingress.kubernetes.io"
GROUP, KIND = "networking.k8s.io", "Ingress"
# What the controller always writes itself.
OWN = ("canary", "canary-weight", "canary-weight-total")
ASKS = ("canary-by-header", "canary-by-header-value", "canary-by-header-pattern", "canary-by-cookie")
LONGEST = 246
STICKY = "targetGroupStickinessConfig"


def either(place: "Fields", one: str, many: str) -> "list[Fields]":
    """Return the entries of a list, or the one that stands in its place; both, or none, is a mistake."""
    entries = [*([place.at(one)] if place.has(one) else ()), *place.sequence(many)]
    if place.has(one) == place.has(many) or not entries:
        place.problem(f"needs either {one} or {many}")
    return entries


def nginx(reader: "Reader", pair: "Pair") -> "Iterator[Route]":
    """Yield each Ingress of nginx."""
    place = reader.routing.mapping("nginx")
    _check_prefix(place, NGINX)
    kept = tuple((key, value) for key, value in _written(place).items() if key not in _asking())
    for entry in either(place, "stableIngress", "stableIngresses"):
        name = str(entry.value)
        canary = f"{f'{reader.name}-{name}'[:LONGEST]}-canary"
        yield Route(GROUP, KIND, name, "nginx", pair, entry.path, canary, kept)


def asked(reader: "Reader") -> "Iterator[Match]":
    """Yield what annotations on the canary's Ingress ask of a request, besides the weight."""
    place = reader.routing.mapping("nginx")
    written = _written(place)
    name, value, pattern, cookie = (written.get(f"{NGINX}/{key}", "") for key in ASKS)
    if name and not value and not pattern:
        message = f"sends requests with {name}: always to the canary; those with {name}: never are not kept out of the"
        reader.remarks.append(Result(WARNING, f"{message} weight", place.ref, place.path))
    if name:
        kind = REGEX if pattern and not value else EXACT
        yield Match((Condition("header", name, value or pattern or "always", kind),))
    if cookie:
        yield Match((Condition("cookie", cookie, "always"),))


def alb(reader: "Reader", pair: "Pair") -> "Iterator[Route]":
    """Yield each Ingress of the AWS Load Balancer Controller."""
    place = reader.routing.mapping("alb")
    _check_prefix(place, ALB)
    port, root = place.whole("servicePort", 1), place.text("rootService", pair.stable)
    if port is None:
        place.at("servicePort").problem("is required")
    sticky = place.mapping("stickinessConfig")
    seconds = sticky.whole("durationSeconds", 1, 604800) if sticky.flag("enabled") else None
    if sticky.flag("enabled") and seconds is None:
        sticky.at("durationSeconds").problem("is required where stickiness is enabled: 1 to 604800")
    told = (("rootService", root), ("servicePort", port or 0), *((("stickySeconds", seconds),) if seconds else ()))
    for entry in either(place, "ingress", "ingresses"):
        name = str(entry.value)
        if seconds and STICKY.lower() not in _action(reader, name, root).lower():
            message = f"is not in the annotation {ALB}/actions.{root} of Ingress {name}; write it there, as {STICKY}"
            sticky.problem(message)
        yield Route(GROUP, KIND, name, "alb", pair, entry.path, told=told)


def _action(reader: "Reader", name: str, root: str) -> str:
    """Return what the author's annotation of an Ingress says about a Service."""
    item = reader.scene.lookup(Ref(f"{GROUP}/v1", KIND, reader.namespace, name))
    annotations = (item.value["metadata"].get("annotations") or {}) if item else {}
    return str(annotations.get(f"{ALB}/actions.{root}", ""))


def _asking() -> tuple[str, ...]:
    return tuple(f"{NGINX}/{key}" for key in (*ASKS, *OWN))


def _written(place: "Fields") -> dict[str, str]:
    """Return the annotations that the author wants on the canary's Ingress."""
    more = place.labels("additionalIngressAnnotations")
    prefixed = {k if k.startswith(f"{NGINX}/") else f"{NGINX}/{k}": v for k, v in more.items()}
    return prefixed | place.labels("canaryIngressAnnotations")


def _check_prefix(place: "Fields", prefix: str) -> None:
    if place.text("annotationPrefix", prefix) != prefix:
        place.at("annotationPrefix").problem(f"is not rendered; the annotations begin with {prefix}")
