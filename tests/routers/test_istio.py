"""VirtualService and DestinationRule: at every stage, a proxy sends each request where the plan says.

Generated routes, stages and requests, with a Service or a subset for the canary.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from itertools import product
from pathlib import Path
from random import Random
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import event, given, settings
from hypothesis import strategies as st

from krmfn.errors import KrmfnError
from krmfn.lua import find, render
from krmfn.lua.cases import Case, cases, full
from krmfn.lua.room import library
from tests.routers.istio import Arrival, Call, Connection, Shares, connect, copies, route, whole
from tests.routers.meaning import PLANS, changed, holds, share

GROUP = "networking.istio.io"
CRDS = Path(__file__).parent.parent.parent.parent / "shared" / "crds"
KINDS = {"VirtualService": "virtualservices", "DestinationRule": "destinationrules"}
VERSIONS = ("v1", "v1beta1", "v1alpha3")
REQUESTS = 40  # of all that there are, for each plan
REGEX = "RegularExpression"
LABELS = {"version": "canary"}

Strategy = st.SearchStrategy[Any]


def maybe(strategy: Strategy, *, odds: int = 1) -> Strategy:
    """Return None as often as a value, or `odds` times as often (``one_of`` would take equal strategies for one)."""
    return st.integers(0, odds).flatmap(lambda number: strategy if number == odds else st.none())


def without_none(parts: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what there is not."""
    return {key: value for key, value in parts.items() if value is not None}


def record(**parts: Strategy) -> Strategy:
    """Make a map of what there is."""
    return st.builds(lambda **found: without_none(found), **parts)


# What a rule asks for, from a world so small that everything meets everything.

USUAL = [{"prefix": "/"}, {"prefix": "/a"}, {"prefix": "/a/"}, {"exact": "/a/b"}]
RARE = [{"regex": ".*"}, {"regex": "/a(/.*)?"}, {}, {"exact": "/"}, {"prefix": ""}, {"prefix": "/A/b"}]
URIS = st.sampled_from([*USUAL * 3, *RARE])
TEXTS = st.sampled_from(
    [{"exact": "1"}, {"exact": "1"}, {"prefix": "1"}, {"exact": "2"}, {}, {"regex": "*"}, {"regex": "1+"}]
)
MATCH = record(
    uri=maybe(URIS),
    ignoreUriCase=maybe(st.just(value=True), odds=2),
    method=maybe(st.just({"exact": "GET"}), odds=8),
    headers=maybe(st.dictionaries(st.sampled_from(["x", "X", "y"]), TEXTS, min_size=1, max_size=1), odds=3),
    withoutHeaders=maybe(st.dictionaries(st.sampled_from(["x", "z"]), TEXTS, min_size=1, max_size=1), odds=8),
    queryParams=maybe(st.dictionaries(st.just("q"), TEXTS, min_size=1), odds=5),
    gateways=maybe(st.sampled_from([["mesh"], ["edge"], ["mesh", "edge"]]), odds=8),
    sourceLabels=maybe(st.just({"app": "front"}), odds=8),
    port=maybe(st.just(8080), odds=8),
    name=maybe(st.just("one"), odds=8),
)
CONNECTED = record(
    port=maybe(st.just(443), odds=2),
    gateways=maybe(st.just(["edge"]), odds=3),
    sourceLabels=maybe(st.just({"app": "front"}), odds=5),
)

# Where a rule leads.

STABLE = ("web", "web", "web.demo", "web.demo.svc", "web.demo.svc.cluster.local")
OTHERS = ("api", "web.other.svc.cluster.local", "web.example.com", "webb")
REQUEST_HEADERS = st.sampled_from(
    [
        {"request": {"set": {"X-Side": "a"}}},
        {"request": {"add": {"v": "a"}, "remove": ["x"]}, "response": {"remove": ["server"]}},
        {"response": {"set": {"x-from": "a"}}},
    ]
)


@st.composite
def entries(draw: st.DrawFn, subsets: tuple[str | None, ...], *, http: bool) -> list[dict[str, Any]]:
    """Make the destinations of a rule: one, or several with weights that sum to 100 or to anything."""
    made = []
    for _ in range(draw(st.sampled_from([1, 1, 1, 2, 3]))):
        stable = draw(st.integers(0, 3)) > 0
        destination = {"host": draw(st.sampled_from(STABLE if stable else OTHERS))}
        if stable and (subset := draw(st.sampled_from(subsets))):
            destination["subset"] = subset
        if port := draw(maybe(st.sampled_from([80, 81]))):
            destination["port"] = {"number": port}
        headers = draw(maybe(REQUEST_HEADERS, odds=3)) if http else None
        made.append({"destination": destination} | ({"headers": headers} if headers else {}))
    if len(made) > 1:
        first, second = draw(st.integers(1, 98)), draw(st.integers(0, 50))
        weights = draw(st.sampled_from([[first, 100 - first], [2, 1, 0]]))[: len(made)]
        if len(made) > 2:
            second = min(second, 100 - first)
            weights = draw(st.sampled_from([[first, second, 100 - first - second], [33, 33, 34], [1, 2, 1]]))
        for one, weight in zip(made, weights, strict=True):
            one.update({"weight": weight} if weight else {})
    return made


@st.composite
def rules(draw: st.DrawFn, subsets: tuple[str | None, ...]) -> dict[str, Any]:
    """Make an HTTP rule: some answer by themselves, the others lead somewhere."""
    answer = draw(st.integers(0, 11))
    made = {"match": draw(maybe(st.lists(MATCH, max_size=3)))}
    if answer < 2:
        return without_none(made | ({"redirect": {"uri": "/new"}} if answer else {"directResponse": {"status": 404}}))
    more = record(
        name=maybe(st.just("named")),
        headers=maybe(st.one_of(REQUEST_HEADERS, st.just({"request": {"set": {"w": "r"}}})), odds=3),
        rewrite=maybe(
            st.sampled_from(
                [
                    {"uri": "/"},
                    {"uri": "/new"},
                    {"uri": "/new/"},
                    {"authority": "example.org"},
                    {"uriRegexRewrite": {"match": "^/a", "rewrite": "/c"}},
                ]
            )
        ),
        timeout=maybe(st.just("3s")),
        mirror=maybe(st.just({"host": "web"}), odds=3),
    )
    return without_none(made | {"route": draw(entries(subsets, http=True))} | draw(more))


def connections(subsets: tuple[str | None, ...], extra: Strategy) -> Strategy:
    """Make rules for connections."""
    match = st.lists(st.builds(lambda one, more: one | more, CONNECTED, extra), min_size=1, max_size=2)
    one = record(match=match, route=entries(subsets, http=False))
    return st.lists(one, min_size=1, max_size=2)


def leads(rule: Mapping[str, Any]) -> bool:
    """Tell whether a rule sends anything to the stable Service."""
    return any(entry["destination"]["host"] in STABLE for entry in rule.get("route") or ())


@st.composite
def services(draw: st.DrawFn, *, split: bool) -> dict[str, Any]:
    """Make a VirtualService, of which a rule leads to the stable Service; ``split``: always to a subset of it."""
    subsets = ("a", "b") if split else (None, None, "a")
    spec = {"hosts": ["example.com"], "http": draw(st.lists(rules(subsets), min_size=1, max_size=4))}
    if not any(leads(rule) for rule in spec["http"]):
        spec["http"].append({"route": [{"destination": {"host": "web"} | ({"subset": "a"} if split else {})}]})
    names = st.builds(lambda hosts: {"sniHosts": hosts}, st.sampled_from([["a.org"], ["*.org", "b.com"]]))
    spec["tls"] = draw(maybe(connections(subsets, names), odds=2))
    spec["tcp"] = draw(maybe(connections(subsets, st.just({})), odds=2))
    return {
        "apiVersion": f"{GROUP}/{draw(st.sampled_from(VERSIONS))}",
        "kind": "VirtualService",
        "metadata": {"name": "web", "namespace": "demo"},
        "spec": without_none(spec),
    }


PARTS = st.builds(
    lambda *parts: {key: value for part in parts for key, value in (part or {}).items()},
    maybe(st.just({"tls": {"mode": "DISABLE"}})),
    maybe(st.sampled_from([{"loadBalancer": {"simple": "RANDOM"}}, {"tls": {"mode": "SIMPLE"}}])),
    maybe(st.just({"connectionPool": {"tcp": {"maxConnections": 1}}})),
)
POLICIES = st.builds(
    lambda parts, ports: parts | ({"portLevelSettings": ports} if ports else {}),
    PARTS,
    st.lists(
        st.builds(lambda port, parts: parts | {"port": {"number": port}}, st.sampled_from([80, 81]), PARTS),
        max_size=2,
        unique_by=lambda one: one["port"]["number"],
    ),
)


@st.composite
def destination_rules(draw: st.DrawFn, *, split: bool) -> dict[str, Any]:
    """Make the DestinationRule of the stable Service; ``split``: its subsets may have policies."""
    common = draw(maybe(POLICIES)) if split else None
    subsets = [{"name": name, "labels": {"version": name}, "trafficPolicy": common} for name in "ab"]
    spec = {
        "host": draw(st.sampled_from(STABLE)),
        "trafficPolicy": draw(maybe(POLICIES)),
        "subsets": [without_none(one) for one in subsets],
    }
    metadata = {"name": "web", "namespace": "demo"}
    return {"apiVersion": f"{GROUP}/v1", "kind": "DestinationRule", "metadata": metadata, "spec": without_none(spec)}


# Stages.


def conditions(names: tuple[str, ...], values: tuple[str, ...], *, regex: bool = True) -> Strategy:
    """Make at most one condition."""
    kinds = ["Exact", "Exact", "Exact", REGEX] if regex else ["Exact"]
    one = st.builds(
        lambda name, value, kind: {"name": name, "value": "1|3" if kind == REGEX else value, "type": kind},
        st.sampled_from(names),
        st.sampled_from(values),
        st.sampled_from(kinds),
    )
    several = st.lists(one, max_size=2, unique_by=lambda condition: condition["name"].lower())
    return maybe(several, odds=2).map(lambda found: found or [])


PATH = st.one_of(
    st.builds(
        lambda kind, value: {"type": kind, "value": value},
        st.sampled_from(["Exact", "PathPrefix", "PathPrefix"]),
        st.sampled_from(["/a", "/a", "/a/b", "/a/b", "/", "/a/", "/b"]),
    ),
    st.just({"type": REGEX, "value": "/a(/.*)?"}),
)
WANTED = record(
    headers=conditions(("X", "y"), ("1", "2")),
    queryParams=conditions(("q", "r"), ("1", "2")),
    cookies=st.lists(
        st.builds(lambda value: {"name": "c.d", "value": value, "type": "Exact"}, st.sampled_from(["1", "a+b"])),
        max_size=1,
    ),
    path=maybe(PATH),
    callers=maybe(st.sampled_from(["front", "back"]).map(lambda value: [{"name": "app", "value": value}]), odds=3),
)
WEIGHT = st.one_of(st.integers(0, 100), st.sampled_from([0, 1, 5, 20, 50, 100]))
MODIFIERS = st.sampled_from(
    [
        {"set": [{"name": "x-side", "value": "canary"}], "add": [{"name": "V", "value": "b"}]},
        {"set": [{"name": "V", "value": "b"}]},
        {"remove": ["v", "Y"], "add": [{"name": "x", "value": "3"}]},
    ]
)


@st.composite
def stages(draw: st.DrawFn, *, split: bool) -> dict[str, Any]:
    """Make a stage: neutral, a weight, matches, or both."""
    kind = draw(st.sampled_from(["weight", "weight", "matches", "matches", "matches", "both", "both", "neutral"]))
    made: dict[str, Any] = {
        "name": "web-canary",
        "stableService": "web",
        "canaryService": "web" if split else "web-canary",
        "podMetadata": {"labels": LABELS, "annotations": {}},
        "neutral": kind == "neutral",
    }
    if split:
        made["subset"] = "canary"
    if kind in ("weight", "both"):
        made["weight"] = draw(WEIGHT)
    if kind in ("matches", "both"):
        made["matches"] = draw(st.lists(WANTED, min_size=1, max_size=3))
    if modifier := draw(maybe(MODIFIERS, odds=3)):
        made["headerModifier"] = modifier
    return full(made)


# Requests.

VALUES = {"x": (None, "1", "2", "11", "3"), "y": (None, "1")}
CALLS = [
    Call(
        path,
        without_none(dict(zip(VALUES, values, strict=True))),
        query,
        cookies,
        port=port,
        gateway=gateway,
        labels=labels,
    )
    for path in ("/", "/a", "/a/", "/a/b", "/A/b", "/a/b/c", "/ab", "/b", "/B")
    for values in product(*VALUES.values())
    for query in ({}, {"q": "1"}, {"q": "2", "r": "1"})
    for cookies in ({}, {"c.d": "1"}, {"a": "2", "c.d": "a+b", "b": "1"}, {"ac.d": "1", "cxd": "a+b"})
    for port, gateway, labels in (
        (80, "mesh", {"app": "front"}),
        (8080, "mesh", {"app": "back", "tier": "web"}),
        (8080, "edge", {}),
    )
]
CONNECTIONS = [
    Connection(port, sni, gateway, labels)
    for port in (443, 6379)
    for sni in ("", "a.org", "b.org", "b.com", "c.com")
    for gateway, labels in (("mesh", {}), ("mesh", {"app": "front"}), ("edge", {}))
]


def asked(stage: Mapping[str, Any], seed: int) -> list[Call]:
    """Return requests, half of them such that a match of the stage holds, but perhaps for the path."""
    pool = Random(seed).sample(CALLS, 10 * REQUESTS)  # noqa: S311  (no secret)
    matches = [{part: match[part] for part in match if part != "path"} for match in stage["matches"]]
    near = [call for call in pool if any(holds(match, call) for match in matches)][: REQUESTS // 2]
    return near + pool[: REQUESTS - len(near)]


# The law.

REASONS = {
    "and Istio asks for one of them": "two conditions on one text",
    "or write it as uriRegexRewrite": "a rewrite of what matched",
    "move it to the destinations": "a header that the rule changes",
    "no request can satisfy": "a match without requests",
    "give this destination a rule of its own": "copies of what goes elsewhere",
    "does not look at the labels of who calls": "labels beside gateways",
}


def why(error: KrmfnError) -> str:
    """Return the reason of a refusal, which has to be one that we know of."""
    return next(reason for words, reason in REASONS.items() if words in error.message)


def schemas(kind: str) -> dict[str, Any]:
    """Return a validator for each version of a kind; none where the schemas are not at hand."""
    path = CRDS / f"{KINDS[kind]}.{GROUP}.yaml"
    if not path.exists():
        return {}
    versions = yaml.safe_load(path.read_text())["spec"]["versions"]
    return {
        f"{GROUP}/{version['name']}": jsonschema.Draft202012Validator(version["schema"]["openAPIV3Schema"])
        for version in versions
    }


SCRIPTS = {kind: find(GROUP, kind) for kind in KINDS}
SCHEMAS = {kind: schemas(kind) for kind in KINDS}


def valid(manifest: dict[str, Any]) -> dict[str, Any]:
    """Return a manifest that the API server would take."""
    known = SCHEMAS[manifest["kind"]]
    if known:
        known[manifest["apiVersion"]].validate(manifest)
    return manifest


def rendered(manifest: dict[str, Any], stage: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what the provider makes of a manifest."""
    return [valid(made) for made in render(SCRIPTS[manifest["kind"]], manifest, stage)]


def expected(base: Shares, canary: Fraction, stage: Mapping[str, Any], *, http: bool) -> Shares:
    """Return where requests have to arrive, from where they do without a rollout."""
    found = Counter[Arrival]()
    for arrival, amount in base.items():
        if arrival.host != "web.demo":
            found[arrival] += amount
            continue
        found[arrival] += amount * (1 - canary)
        found[counterpart(arrival, stage, http=http)] += amount * canary
    return {arrival: Fraction(amount) for arrival, amount in found.items() if amount}


def counterpart(arrival: Arrival, stage: Mapping[str, Any], *, http: bool) -> Arrival:
    """Return how a request to the stable side arrives at the canary."""
    if http:
        headers = changed(dict(arrival.headers), [stage.get("headerModifier")])
        arrival = arrival._replace(headers=frozenset(headers.items()))
    if stage["canaryService"] == "web":
        return arrival._replace(subset="canary", pods='{"version": "canary"}')
    return arrival._replace(host="web-canary.demo", subset="", pods="{}")


def canary_part(shares: Shares) -> Fraction:
    """Return how much goes to the canary."""
    return sum(
        (part for one, part in shares.items() if one.host == "web-canary.demo" or one.subset == "canary"), Fraction()
    )


def agree(actual: Shares, wanted: Shares) -> None:
    """Compare to the rounding of weights that sum to 100: half a percent for a side, one for a destination.

    No side is rounded away.
    """
    assert sum(actual.values()) == sum(wanted.values())
    assert all(abs(actual.get(one, 0) - wanted.get(one, 0)) < Fraction(1, 100) for one in actual | wanted)
    assert abs(canary_part(actual) - canary_part(wanted)) <= Fraction(1, 200)
    assert bool(canary_part(actual)) == bool(canary_part(wanted))


@pytest.mark.parametrize("split", [False, True], ids=["service", "subset"])
def test_every_request_arrives_where_the_plan_says(*, split: bool) -> None:
    """What matches goes to the canary, of the rest the weight does, treated alike, and nobody else notices."""
    kept = Counter[bool]()

    @settings(max_examples=PLANS)
    @given(services(split=split), destination_rules(split=split), stages(split=split), st.integers(0, 2**32))
    def law(base: dict[str, Any], rule: dict[str, Any], stage: dict[str, Any], seed: int) -> None:
        calls = asked(stage, seed)
        beside = rendered(rule, stage)
        beside = beside if split or beside == [rule] else [rule, *beside]
        try:
            (made,) = rendered(valid(base), stage)
        except KrmfnError as error:
            event(why(error))
            kept[False] += 1
            if why(error) == "a match without requests":
                unserved(base, stage["matches"][int(error.field[8:-1])])
            return
        kept[True] += 1
        for call in calls:
            wanted = expected(route(base, [rule], call), share(stage, call), stage, http=True)
            agree(route(made, beside, call), wanted)
            assert copies(made, call) == copies(base, call)
        for connection in CONNECTIONS:
            canary = Fraction(0 if stage["neutral"] else stage.get("weight") or 0, 100)
            wanted = expected(connect(base, [rule], connection), canary, stage, http=False)
            agree(connect(made, beside, connection), wanted)

    law()
    assert kept[True] > kept[False]


def alone(base: dict[str, Any]) -> dict[str, Any]:
    """Return a VirtualService whose rules lead either to the stable Service or elsewhere."""
    made = []
    for rule in base["spec"]["http"]:
        entries = rule.get("route") or []
        own = [entry for entry in entries if entry["destination"]["host"] in STABLE and entry.get("weight") != 0]
        made.append({**rule, "route": [{k: v for k, v in own[0].items() if k != "weight"}]} if own else rule)
    return {**base, "spec": {**base["spec"], "http": made}}


METHODS = st.sampled_from([{"type": "Exact", "value": "GET"}, {"type": REGEX, "value": "P.*|GET"}])
MIRRORS = st.builds(
    lambda percent, matches: {"percent": percent, "matches": matches},
    st.sampled_from([1, 35, 100]),
    st.lists(st.builds(lambda one, method: without_none(one | {"method": method}), WANTED, maybe(METHODS)), max_size=2),
)


def mirrored(stage: Mapping[str, Any], base: Shares, call: Call) -> dict[tuple[str, str, int | None], Fraction]:
    """Return the copies that a stage asks for of a request that arrives at the stable side without a rollout."""
    wanted, first = stage["mirror"], next((one for one in base if one.host == "web.demo"), None)
    if first is None or any(holds(match, call) for match in stage["matches"]):
        return {}
    if wanted["matches"] and not any(holds(match, call) for match in wanted["matches"]):
        return {}
    split = stage["canaryService"] == "web"
    place = ("web.demo", "canary") if split else ("web-canary.demo", "")
    return {(*place, first.port): Fraction(wanted["percent"], 100)}


@pytest.mark.parametrize("split", [False, True], ids=["service", "subset"])
def test_copies_arrive_at_the_canary_and_change_nothing_else(*, split: bool) -> None:
    """With and without copies every request arrives at the same places; of which it is copied, the stage says."""
    kept = Counter[bool]()

    @settings(max_examples=PLANS // 2)
    @given(services(split=split), stages(split=split), MIRRORS, st.integers(0, 2**32))
    def law(base: dict[str, Any], stage: dict[str, Any], wanted: dict[str, Any], seed: int) -> None:
        base = alone(base) if seed % 2 else base
        told = {**stage, "neutral": False, "mirror": wanted}
        try:
            (made,), (plain,) = rendered(base, told), rendered(base, {**stage, "neutral": False})
        except KrmfnError as error:
            event(why(error))
            kept[False] += 1
            return
        kept[True] += 1
        for number, call in enumerate(asked(told, seed)):
            one = replace(call, method="POST") if number % 3 == 0 else call
            assert route(made, [], one) == route(plain, [], one)
            found = copies(base, one) | mirrored(told, route(base, [], one), one)
            assert copies(made, one) == found

    law()
    assert kept[True] > kept[False]


def unserved(base: dict[str, Any], match: dict[str, Any]) -> None:
    """No request that satisfies a match goes to the stable Service."""
    for call in CALLS:
        if holds(match, call):
            assert "web.demo" not in {arrival.host for arrival in route(base, [], call)}


@settings(max_examples=PLANS // 4)
@given(services(split=False), stages(split=False), st.integers(1, 99), st.integers(0, 2**32))
def test_a_canary_that_the_author_has_written(
    base: dict[str, Any], stage: dict[str, Any], part: int, seed: int
) -> None:
    """Where the canary stands beside the stable Service already, the two divide what they have together."""
    for rule in base["spec"]["http"]:
        if leads(rule):
            rule["route"] = [{"destination": {"host": "web"}}]
    both = {**base, "spec": {**base["spec"], "http": [beside(rule, part) for rule in base["spec"]["http"]]}}
    try:
        (made,) = rendered(both, stage)
    except KrmfnError as error:
        why(error)
        return
    for call in asked(stage, seed):
        agree(route(made, [], call), expected(route(base, [], call), share(stage, call), stage, http=True))


def beside(rule: dict[str, Any], part: int) -> dict[str, Any]:
    """Return a rule that gives part of what the stable Service has to the canary."""
    if not leads(rule):
        return rule
    canary = {"destination": {"host": "web-canary"}, "weight": part}
    return {**rule, "route": [{**rule["route"][0], "weight": 100 - part}, canary]}


@settings(max_examples=PLANS // 4)
@given(services(split=False), stages(split=False))
def test_what_the_author_wrote_is_kept(base: dict[str, Any], stage: dict[str, Any]) -> None:
    """The author's rules stay in their order, but for the destinations of those that lead to the stable Service."""
    try:
        (made,) = rendered(base, stage)
    except KrmfnError as error:
        why(error)
        return
    for kind in ("http", "tls", "tcp"):
        left = list(base["spec"].get(kind) or ())
        for rule in made["spec"].get(kind) or ():
            if left and (rule == left[0] if not leads(left[0]) else kept(rule, left[0])):
                left.pop(0)
        assert left == []
    assert {**made, "spec": {}} == {**base, "spec": {}}


def kept(rule: dict[str, Any], old: dict[str, Any]) -> bool:
    """Tell whether a rule is an old one, perhaps with other weights and one more destination."""
    places = [entry["destination"] for entry in rule.get("route") or ()]
    before = [entry["destination"] for entry in old["route"]]
    return {**rule, "route": 0} == {**old, "route": 0} and places[: len(before)] == before


@pytest.mark.parametrize("host", ["web", "web.demo", "web.demo.svc", "web.demo.svc.cluster.local"])
def test_hosts(host: str) -> None:
    """The router takes all spellings of a Service for one, and another Service for another."""
    given_ = {"metadata": {}}
    assert whole(host, given_) == "web.demo"
    assert whole("web", {"metadata": {"namespace": "other"}}) == "web.other"
    assert whole("web.demo.com", given_) == "web.demo.com"


CASES = list(cases(str(Path(library()) / GROUP)))


@pytest.mark.parametrize("case", [case for case in CASES if case.expected], ids=lambda case: Path(case.path).stem)
def test_cases_are_valid(case: Case) -> None:
    """The API server would take what the cases expect, but for what only the tests of null are about."""
    for manifest in case.expected or ():
        if Path(case.path).stem != "empty":
            valid(manifest)
