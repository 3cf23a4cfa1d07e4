"""What OpenShift's router does with a Route, as its documentation says.

https://docs.openshift.com/container-platform/latest/networking/routes/route-configuration.html
"""

from collections.abc import Mapping
from typing import Any

from tests.routers.plans import Shares, of_weights


def route(one: Mapping[str, Any]) -> Shares:
    """Return how many of all requests each Service gets: weights are 100 where they are not written."""
    places = [one["spec"]["to"], *(one["spec"].get("alternateBackends") or ())]
    return of_weights((each["name"], each.get("weight", 100)) for each in places)
