"""What Knative does with the traffic of a Service, as its documentation says.

https://knative.dev/docs/serving/traffic-management/: percents sum to 100; without any, all goes to the latest revision.
"""

from collections.abc import Mapping
from typing import Any

from tests.routers.plans import Shares, of_weights

LATEST = "(latest)"


def route(service: Mapping[str, Any]) -> Shares:
    """Return how many of all requests each revision gets; LATEST stands for the one of the template."""
    traffic = service["spec"].get("traffic") or [{"latestRevision": True, "percent": 100}]
    assert sum(one.get("percent", 0) for one in traffic) == 100
    assert all(bool(one.get("revisionName")) != one.get("latestRevision", False) for one in traffic)
    return of_weights((one.get("revisionName") or LATEST, one.get("percent", 0)) for one in traffic)
