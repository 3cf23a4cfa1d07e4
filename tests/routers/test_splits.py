"""Routes that only divide: the canary gets its part of what the stable Service gets, and of nothing else."""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from krmfn.errors import KrmfnError
from krmfn.lua import find, render
from krmfn.lua.cases import full
from tests.routers.meaning import PLANS, Request, share
from tests.routers.splits import SIDES, Arrival, spread

CRDS = Path(__file__).parent.parent.parent.parent / "shared" / "crds"
NAMES = {"name": "web-canary", "stableService": "web", "canaryService": "web-canary"}

Manifest = dict[str, Any]

# What an entry means where it does not say it.
DEFAULTS = {"name": "", "service": "", "port": 0, "namespace": "demo", "kind": "Service"}
NAME = st.sampled_from(["web", "web", "web", "web-canary", "old", "new"])
WEIGHT = st.sampled_from([0, 1, 2, 3, 7, 25, 50, 99, 100, 999])
SPACE = st.sampled_from(["demo", "demo", "other"])
PORT = st.sampled_from([80, 80, 81])


def some(*optional: tuple[str, st.SearchStrategy[Any]], **required: st.SearchStrategy[Any]) -> Any:
    """Return a strategy for maps that have all required members, and now and then one of the others."""
    return st.fixed_dictionaries(required, optional=dict(optional))


def refs(entry: Any, least: int = 1) -> Any:
    """Return a strategy for lists of backends."""
    return st.lists(entry, min_size=least, max_size=4)


BACKEND = some(("weight", WEIGHT), ("namespace", SPACE), name=NAME, port=PORT)


def gateway(kind: str, version: str, **spec: Any) -> Any:
    """Return a strategy for routes of the Gateway API."""
    return st.builds(
        lambda rules: {
            "apiVersion": f"gateway.networking.k8s.io/{version}",
            "kind": kind,
            "metadata": {"name": "web", "namespace": "demo"},
            "spec": {**spec, "rules": rules},
        },
        st.lists(st.builds(lambda one: {"backendRefs": one}, refs(BACKEND)), min_size=1, max_size=2),
    )


def written(weight: int, quantity: str = "") -> dict[str, Any]:
    """Return how a weight is written in each version of SMI."""
    return {"v1alpha1": quantity or str(weight), "v1alpha2": weight, "v1alpha4": weight}


QUANTITY = st.sampled_from(["500m", "1500m", "0.25", "33"]).map(lambda text: written(10, text))
ROUTES = {
    "TCPRoute": gateway("TCPRoute", "v1alpha2"),
    "TLSRoute": gateway("TLSRoute", "v1alpha2", hostnames=["db.example.com"]),
    "TraefikService": st.builds(
        lambda services: {
            "apiVersion": "traefik.io/v1alpha1",
            "kind": "TraefikService",
            "metadata": {"name": "web", "namespace": "demo"},
            "spec": {"weighted": {"services": services}},
        },
        refs(
            some(
                ("weight", WEIGHT),
                ("namespace", SPACE),
                ("kind", st.sampled_from(["Service", "Service", "Service", "TraefikService"])),
                name=NAME,
                port=st.sampled_from([80, 80, "http"]),
            )
        ),
    ),
    "TrafficSplit": st.builds(
        lambda version, backends: {
            "apiVersion": f"split.smi-spec.io/{version}",
            "kind": "TrafficSplit",
            "metadata": {"name": "web", "namespace": "demo"},
            "spec": {"service": "root", "backends": [{**one, "weight": one["weight"][version]} for one in backends]},
        },
        st.sampled_from(["v1alpha1", "v1alpha2", "v1alpha4"]),
        refs(some(service=NAME, weight=st.one_of(WEIGHT.map(written), QUANTITY))),
    ),
}
STAGES = st.one_of(
    st.just({"neutral": True}), st.builds(lambda weight: {"weight": weight}, st.integers(min_value=0, max_value=100))
)


@cache
def schema(api_version: str, kind: str) -> Callable[[Any], None]:
    """Return what raises where an object is not as its API says; nothing happens without the schemas."""
    group, _, version = api_version.partition("/")
    path = CRDS / f"{kind.lower()}s.{group}.yaml"
    versions = yaml.safe_load(path.read_text())["spec"]["versions"] if path.exists() else []
    known = {one["name"]: one["schema"]["openAPIV3Schema"] for one in versions}
    if version not in known:
        return lambda _: None
    validate: Callable[[Any], None] = jsonschema.Draft202012Validator(known[version]).validate
    return validate


def expected(base: Sequence[Mapping[Arrival, Fraction]], stage: Manifest, kind: str) -> list[dict[Arrival, Fraction]]:
    """Return where what comes has to arrive; what the author has given to the canary is the stable Service's."""
    stable, canary, part = *SIDES[kind], share(stage, Request())
    made = []
    for one in base:
        found = defaultdict[Arrival, Fraction](Fraction)
        for arrival, amount in one.items():
            mine = arrival.name in (stable, canary) and leads(one, arrival._replace(name=stable))
            if not mine:
                found[arrival] += amount
                continue
            found[arrival._replace(name=stable)] += amount * (1 - part)
            found[arrival._replace(name=canary)] += amount * part
        made.append({arrival: amount for arrival, amount in found.items() if amount})
    return made


def leads(one: Mapping[Arrival, Fraction], stable: Arrival) -> bool:
    """Tell whether a list sends anything to the stable Service of this namespace, in this way."""
    return stable in one and stable.namespace == "demo"


def unclear(base: Manifest) -> bool:
    """Tell whether a backend is written twice, or the canary gets all that the stable Service could."""
    stable, canary = SIDES[base["kind"]]
    found = False
    for one in spread(base):
        found = found or any(a.name == canary and a._replace(name=stable) not in one for a in one)
    entries = [entry for entries in lists(base) for entry in entries]
    keys = Counter(str({**DEFAULTS, **entry, "weight": 0}) for entry in entries)
    return found or max(keys.values()) > 1


def lists(base: Manifest) -> list[list[Manifest]]:
    """Return the lists of weights in an object."""
    spec = base["spec"]
    if "backends" in spec:
        return [spec["backends"]]
    return [spec["weighted"]["services"]] if "weighted" in spec else [rule["backendRefs"] for rule in spec["rules"]]


def right(error: KrmfnError, base: Manifest) -> None:
    """A route is refused only if it does not lead to the stable Service."""
    stable = SIDES[base["kind"]][0]
    assert "does not lead to the Service web" in error.message
    assert not any(leads(one, arrival) for one in spread(base) for arrival in one if arrival.name == stable)


@pytest.mark.parametrize("kind", sorted(ROUTES))
def test_the_canary_gets_its_part(kind: str) -> None:
    """Of what the stable Service gets without a rollout, the canary gets the weight; others do not notice."""
    tally = Counter[str]()

    @settings(max_examples=PLANS, deadline=None)
    @given(ROUTES[kind], STAGES)
    def law(base: Manifest, stage: Manifest) -> None:
        assume(not unclear(base))
        valid = schema(base["apiVersion"], kind)
        valid(base)
        script = find(base["apiVersion"].partition("/")[0], kind)
        assert script is not None
        try:
            (made,) = render(script, base, full(NAMES | stage))
        except KrmfnError as error:
            right(error, base)
            tally["refused"] += 1
            return
        valid(made)
        assert spread(made) == expected(spread(base), full(stage), kind)
        tally["rendered"] += 1

    law()
    assert tally["rendered"] > PLANS // 4
    assert tally["refused"]
