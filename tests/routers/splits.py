"""Who gets how many connections or requests where a list of weights says so, and nothing of a request is looked at.

TCPRoute, TLSRoute  https://gateway-api.sigs.k8s.io/reference/spec/#backendref: a weight is a part of the sum of all, 1
                    if it is not written, and nobody gets anything where the sum is 0
TraefikService      https://doc.traefik.io/traefik/reference/routing-configuration/kubernetes/crd/http/traefikservice/:
                    the same; a weight of 0 takes a service out
TrafficSplit        https://github.com/servicemeshinterface/smi-spec/tree/main/apis/traffic-split: the same, without a
                    default; in v1alpha1 a quantity of Kubernetes
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

Manifest = Mapping[str, Any]
# What a backend is called, its namespace, all else that it says, and how much it gets.
Part = tuple[str, str, Any, Fraction]


class Arrival(NamedTuple):
    """Where a connection ends; `rest` is everything else that is said of this way, such as a port."""

    name: str
    namespace: str
    rest: str


def spread(given: Manifest) -> list[dict[Arrival, Fraction]]:
    """Return where what comes arrives, and how much of it: for each of the lists of weights in an object."""
    return [_shares(list(parts)) for parts in READ[given["kind"]](given)]


def _shares(parts: Sequence[Part]) -> dict[Arrival, Fraction]:
    found, total = defaultdict[Arrival, Fraction](Fraction), sum(weight for *_, weight in parts)
    for name, namespace, rest, weight in parts:
        if weight:
            found[Arrival(name, namespace, json.dumps(rest, sort_keys=True))] += weight / total
    return dict(found)


def _namespace(given: Manifest) -> str:
    return given["metadata"].get("namespace") or ""


def _gateway(given: Manifest) -> Iterator[Iterator[Part]]:
    for rule in given["spec"]["rules"]:
        yield (
            (
                f"{ref.get('group', '')}/{ref.get('kind', 'Service')}/{ref['name']}",
                ref.get("namespace") or _namespace(given),
                [ref.get("port"), {key: value for key, value in rule.items() if key != "backendRefs"}],
                Fraction(ref.get("weight", 1)),
            )
            for ref in rule["backendRefs"]
        )


def _traefik(given: Manifest) -> Iterator[Iterator[Part]]:
    yield (
        (
            f"{entry.get('kind', 'Service')} {entry['name']}",
            entry.get("namespace", _namespace(given)),
            entry.get("port"),
            Fraction(entry.get("weight", 1)),
        )
        for entry in given["spec"]["weighted"]["services"]
    )


def _smi(given: Manifest) -> Iterator[Iterator[Part]]:
    yield (
        (each["service"], _namespace(given), given["spec"]["service"], _quantity(each["weight"]))
        for each in given["spec"]["backends"]
    )


def _quantity(written: str | int) -> Fraction:
    text = str(written)
    return Fraction(text.removesuffix("m")) / (1000 if text.endswith("m") else 1)


READ: Mapping[str, Callable[[Manifest], Iterator[Iterator[Part]]]] = {
    "TCPRoute": _gateway,
    "TLSRoute": _gateway,
    "TraefikService": _traefik,
    "TrafficSplit": _smi,
}
# What the Service web is called in an object of each kind, and what the canary's is.
SIDES = {
    "TCPRoute": ("/Service/web", "/Service/web-canary"),
    "TLSRoute": ("/Service/web", "/Service/web-canary"),
    "TraefikService": ("Service web", "Service web-canary"),
    "TrafficSplit": ("web", "web-canary"),
}
