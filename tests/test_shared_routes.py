"""One route object with the rules of several rollouts: each divides its own, whatever the others do."""

from typing import Any

import pytest
import yaml

from krmfn import krm
from krmfn.results import ERROR
from tests.stories import Files, rendered

ROLLOUT = """\
apiVersion: rollouts.kruise.io/v1beta1
kind: Rollout
metadata: {{name: {0}}}
spec:
  workloadRef: {{apiVersion: apps/v1, kind: Deployment, name: {0}}}
  strategy:
    canary:
      enableExtraWorkloadForCanary: true
      steps: [{{traffic: 10%, replicas: 1}}, {{traffic: 50%, replicas: 1}}]
      trafficRoutings: [{{service: {0}, gateway: {{httpRouteName: shop}}}}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {0}}}
spec:
  replicas: 2
  selector: {{matchLabels: {{app: {0}}}}}
  template:
    metadata: {{labels: {{app: {0}}}}}
    spec: {{containers: [{{name: {0}, image: "example.com/{0}:1"}}]}}
---
apiVersion: v1
kind: Service
metadata: {{name: {0}}}
spec: {{selector: {{app: {0}}}, ports: [{{port: 80}}]}}
"""
ROUTE = """\
# Both shops.
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: shop}
spec:
  parentRefs: [{name: gateway}]
  rules:
  # The cart.
  - matches: [{path: {type: PathPrefix, value: /cart}}]
    backendRefs: [{kind: Service, name: cart, port: 80}]
  # All the rest.
  - backendRefs: [{kind: Service, name: web, port: 80}]
"""
INGRESS = """\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop}
spec:
  ingressClassName: nginx
  rules:
  - http:
      paths:
      - {path: /cart, pathType: Prefix, backend: {service: {name: cart, port: {number: 80}}}}
      - {path: /, pathType: Prefix, backend: {service: {name: web, port: {number: 80}}}}
"""
BEGINNING = {"cart.yaml": ROLLOUT.format("cart"), "route.yaml": ROUTE, "web.yaml": ROLLOUT.format("web")}


def at(files: Files, *positions: tuple[str, str]) -> Files:
    """Return the files after some rollouts went to some positions, one after the other."""
    for name, position in positions:
        files, outcome = rendered(files, {"rollout": name, "step": position})
        assert not outcome.failed, outcome.results
    return files


@pytest.fixture
def begun() -> Files:
    """Return both rollouts at 0, and then their new versions."""
    files = at({name: text.encode() for name, text in BEGINNING.items()}, ("cart", "0"), ("web", "0"))
    return {name: new(data) if name != "krmfn-state.yaml" else data for name, data in files.items()}


def new(data: bytes) -> bytes:
    """Return a file with the new version of its image."""
    return data.replace(b':1"', b':2"')


def weights(files: Files) -> list[dict[str, Any]]:
    """Return the weight of each Service in each rule of the route."""
    route = yaml.safe_load(files["route.yaml"])
    return [{ref["name"]: ref.get("weight") for ref in rule["backendRefs"]} for rule in route["spec"]["rules"]]


def test_each_rollout_divides_its_own_rules(begun: Files) -> None:
    """What one writes into a route stays when another one writes into it, also where that one is withdrawn."""
    both = at(begun, ("cart", "1/scale"), ("cart", "1"), ("web", "1/scale"), ("web", "1"), ("web", "2"))
    assert weights(both) == [{"cart": 90, "cart-canary": 10}, {"web": 50, "web-canary": 50}]
    one = at(both, ("cart", "1>0/shift"), ("cart", "1>0/drain"), ("cart", "0"))
    assert weights(one) == [{"cart": None}, {"web": 50, "web-canary": 50}]


def test_the_order_of_releases_leaves_no_trace(begun: Files) -> None:
    """Whoever goes first, the route stands the same, and at the end as its author wrote it."""
    cart, web = [("cart", "1/scale"), ("cart", "1")], [("web", "1/scale"), ("web", "1")]
    assert at(begun, *cart, *web)["route.yaml"] == at(begun, *web, *cart)["route.yaml"]
    ends = [(name, position) for name in ("web", "cart") for position in ("2", "promote", "finalise", "complete")]
    files = at(begun, *cart, *web, *ends)
    assert files["route.yaml"] == ROUTE.encode()
    assert [item.ref.name for item in krm.read_files(files.items()).items if item.ref.kind == "Service"] == [
        "cart",
        "web",
    ]


def test_two_releases_cannot_have_one_object_by_turns(begun: Files) -> None:
    """Beside an Ingress there is one for the canary: two rollouts that share it are released one after the other."""
    ingress = INGRESS.encode()
    files = {
        name: data.replace(b"gateway: {httpRouteName: shop}", b"ingress: {name: shop}") for name, data in begun.items()
    }
    files = at(files | {"route.yaml": ingress}, ("cart", "0"), ("web", "0"), ("cart", "1/scale"))
    _, outcome = rendered(files, {"rollout": "web", "step": "1/scale"})
    [found] = [result for result in outcome.results if result.severity == ERROR]
    assert (found.ref and found.ref.name, found.file) == ("shop-canary", "route.yaml")
    assert "finish one release before the next one begins" in found.message
    ended = at(files, ("cart", "1"), ("cart", "2"), ("cart", "promote"), ("cart", "finalise"), ("cart", "complete"))
    assert b"shop-canary" in at(ended, ("web", "1/scale"))["route-canary.yaml"]
