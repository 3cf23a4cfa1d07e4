"""What Consul does with a ServiceSplitter, as its documentation says.

https://developer.hashicorp.com/consul/docs/connect/config-entries/service-splitter
"""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any, NamedTuple

from tests.routers.plans import Shares, of_weights

Manifest = Mapping[str, Any]


class Arrival(NamedTuple):
    """Where a request ends."""

    service: str
    subset: str


def route(splitter: Manifest) -> Shares:
    """Return how many of all requests each Service and subset gets; weights have two decimals and sum to 100."""
    own = splitter["metadata"]["name"]
    splits = [(one, Fraction(str(one["weight"]))) for one in splitter["spec"]["splits"]]
    assert sum(weight for _, weight in splits) == 100
    assert all((weight * 100).denominator == 1 for _, weight in splits)
    return of_weights(
        (Arrival(one.get("service", own), one.get("serviceSubset", "")), weight) for one, weight in splits
    )
