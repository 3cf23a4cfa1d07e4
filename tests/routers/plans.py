"""What the tests of routers share: stages and requests from a small world, and the law that they are held to."""

import re
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping
from fractions import Fraction
from itertools import product
from pathlib import Path
from random import Random
from typing import Any

import jsonschema
import yaml
from hypothesis import event, given, settings
from hypothesis import strategies as st

from krmfn.errors import KrmfnError
from krmfn.lua import Script, render
from krmfn.lua.cases import full
from tests.routers.meaning import PLANS, Request, holds, share

Manifest = dict[str, Any]
Shares = dict[Hashable, Fraction]
Strategy = st.SearchStrategy[Any]

REGEX = "RegularExpression"
NOBODY = "no request can satisfy"
WEIGHTS = st.one_of(st.integers(0, 100), st.sampled_from([0, 1, 5, 20, 50, 100]))


def maybe(strategy: Strategy, *, odds: int = 1) -> Strategy:
    """Return None as often as a value, or ``odds`` times as often."""
    return st.integers(0, odds).flatmap(lambda number: strategy if number == odds else st.none())


def without_none(parts: Mapping[str, Any]) -> Manifest:
    """Leave out what there is not."""
    return {key: value for key, value in parts.items() if value is not None}


def record(**parts: Strategy) -> Strategy:
    """Make a map of what there is."""
    return st.builds(lambda **found: without_none(found), **parts)


# Stages.


def _condition(names: tuple[str, ...], kinds: tuple[str, ...], pattern: str) -> Strategy:
    return st.builds(
        lambda name, value, kind: {"name": name, "value": pattern if kind == REGEX else value, "type": kind},
        st.sampled_from(names),
        st.sampled_from(("1", "2")),
        st.sampled_from(kinds),
    )


def _conditions(names: tuple[str, ...], kinds: tuple[str, ...], most: int, pattern: str) -> Strategy:
    several = st.lists(
        _condition(names, kinds, pattern), min_size=1, max_size=most, unique_by=lambda one: one["name"].lower()
    )
    return maybe(several, odds=1).map(lambda found: found or [])


PATHS = {
    "exact": [{"type": "Exact", "value": value} for value in ("/a", "/a/b", "/", "/b")],
    "prefix": [{"type": "PathPrefix", "value": value} for value in ("/a", "/a/b", "/", "/a/", "/b")],
    "regex": [{"type": REGEX, "value": "/a(/.*)?"}],
}


def matches(supports: Iterable[str], pattern: str = "1|3") -> Strategy:
    """Make a match of all that a provider supports; it may be empty of conditions only where it has a path."""
    words = set(supports)
    most = 2 if "conditions.many" in words else 1

    def kinds(part: str) -> tuple[str, ...]:
        found = ["Exact"] * 3 if f"{part}.exact" in words else []
        return (*found, *([REGEX] if f"{part}.regex" in words else []))

    parts = {"headers": ("X", "y"), "queryParams": ("q", "r"), "cookies": ("c",)}
    words_of = {"headers": "header", "queryParams": "query", "cookies": "cookie"}
    found = {
        part: _conditions(names, kinds(words_of[part]), most, pattern) if kinds(words_of[part]) else st.just([])
        for part, names in parts.items()
    }
    paths = [path for kind, some in PATHS.items() if f"path.{kind}" in words for path in some]
    path = maybe(st.sampled_from(paths).map(dict)) if paths else st.none()
    made = record(**found, path=path)
    return made.filter(
        lambda one: 0 < sum(len(one[part]) for part in parts) + ("path" in one) <= (9 if most > 1 else 1)
    )


@st.composite
def stages(draw: st.DrawFn, script: Script, *, pattern: str = "1|3", canary: str = "web-canary") -> Manifest:
    """Make a stage that a provider supports: neutral, a weight, matches, or both."""
    kinds = ["weight", "weight", "neutral"]
    can_match = any("." in word for word in script.supports - {"matches.many", "conditions.many"})
    kinds += ["matches"] * 3 if can_match else []
    kinds += ["both"] * 2 if "weight+matches" in script.supports else []
    kind = draw(st.sampled_from(kinds))
    made: Manifest = {
        "name": "web-canary",
        "stableService": "web",
        "canaryService": canary,
        "neutral": kind == "neutral",
        "podMetadata": {"labels": {}, "annotations": {}},
    }
    if kind in ("weight", "both"):
        made["weight"] = draw(WEIGHTS)
    if kind in ("matches", "both"):
        most = 3 if "matches.many" in script.supports else 1
        made["matches"] = draw(st.lists(matches(script.supports, pattern), min_size=1, max_size=most))
    return full(made)


# Requests.

VALUES = {"x": (None, "1", "2", "11", "3"), "y": (None, "1")}
REQUESTS = [
    Request(path, without_none(dict(zip(VALUES, values, strict=True))), query, cookies, method)
    for path in ("/", "/a", "/a/", "/a/b", "/a/b/c", "/ab", "/b")
    for values in product(*VALUES.values())
    for query in ({}, {"q": "1"}, {"q": "2", "r": "1"})
    for cookies in ({}, {"c": "1"})
    for method in ("GET", "POST")
]


def asked(stage: Mapping[str, Any], seed: int, count: int = 40) -> list[Request]:
    """Return requests, half of them such that a match of the stage holds, but perhaps for the path."""
    pool = Random(seed).sample(REQUESTS, min(len(REQUESTS), 10 * count))  # noqa: S311  (no secret)
    wanted = [{part: match[part] for part in match if part != "path"} for match in stage["matches"]]
    near = [request for request in pool if any(holds(match, request) for match in wanted)][: count // 2]
    return near + pool[: count - len(near)]


# The law.


def canary(arrival: Any) -> Any:
    """Return the canary's counterpart of an arrival at the Service web, None for any other."""
    return arrival._replace(service="web-canary") if arrival.service == "web" else None


def alone(route: Callable[[Manifest, Request], Shares]) -> Callable[[list[Manifest], Request], Shares]:
    """Return the router of the only object there is."""

    def routed(manifests: list[Manifest], request: Request) -> Shares:
        (one,) = manifests
        return route(one, request)

    return routed


class Law:
    """What a provider makes of a route divides requests as the plan says.

    ``route(manifests, request)`` is the router; ``twin(arrival)`` the canary's counterpart of a stable arrival, None
    for any other; ``reasons`` the words of refusals that are right, each with a pattern of what is in the plan then;
    ``inexact``: by how much a share may be off.
    """

    def __init__(
        self,
        script: Script,
        route: Callable[[list[Manifest], Request], Shares],
        twin: Callable[[Any], Hashable | None],
        reasons: Mapping[str, str],
        inexact: Fraction = Fraction(0),
    ) -> None:
        """Keep what a plan is checked with, and count what was refused."""
        self.script, self.route, self.twin = script, route, twin
        self.reasons, self.inexact = {**reasons, NOBODY: ""}, inexact
        self.kept = Counter[bool]()
        self.base: Manifest = {}
        self._stable: set[Hashable] = set()
        self._canary: set[Hashable] = set()

    def check(self, base: Manifest, stage: Manifest, seed: int) -> list[Manifest] | None:
        """Hold one plan to the law, and return what was made; None where it was refused with reason."""
        self.base = base
        try:
            made = render(self.script, base, stage)
        except KrmfnError as error:
            self._refused(error, base, stage)
            return None
        self.kept[True] += 1
        self._compare(base, made, stage, seed)
        return made

    def check_written(self, base: Manifest, both: Manifest, stage: Manifest, seed: int) -> None:
        """Hold a route that has the canary already to what the same plan makes of the one without it."""
        try:
            made = render(self.script, both, stage)
        except KrmfnError:
            return
        self._compare(base, made, stage, seed)

    def _compare(self, base: Manifest, made: list[Manifest], stage: Manifest, seed: int) -> None:
        for request in asked(stage, seed):
            wanted = self.wanted(self.route([base], request), share(stage, request))
            self.agree(self.route(made, request), wanted, request)

    def hold(
        self,
        routes: Strategy,
        stages: Strategy,
        valid: Callable[[Manifest], object] = bool,
        connect: Callable[[Manifest], Shares] | None = None,
    ) -> None:
        """Hold generated plans to the law: most are rendered, to what is ``valid``; ``connect`` routes connections."""

        @settings(max_examples=PLANS)
        @given(routes, stages, st.integers(0, 2**32))
        def check(base: Manifest, stage: Manifest, seed: int) -> None:
            for made in self.check(base, stage, seed) or ():
                valid(made)
                if connect:
                    percent = 0 if stage["neutral"] else stage.get("weight") or 0
                    self.agree(connect(made), self.wanted(connect(base), Fraction(percent, 100)), "a connection")

        check()
        assert self.kept[True] > self.kept[False]

    def _refused(self, error: KrmfnError, base: Manifest, stage: Manifest) -> None:
        reason = next((words for words in self.reasons if words in error.message), None)
        assert reason, f"{error.field} {error.message}"
        assert re.search(self.reasons[reason], repr((base, stage))), f"{error.field} {error.message}"
        event(reason)
        self.kept[False] += 1
        if reason == NOBODY:
            self._nobody(base, stage["matches"][int(error.field[8:-1])])

    def _nobody(self, base: Manifest, match: Manifest) -> None:
        for request in REQUESTS:
            if holds(match, request):
                assert all(self.twin(one) is None for one in self.route([base], request)), request

    def wanted(self, base: Shares, canary: Fraction) -> Shares:
        """Return where requests have to arrive, from where they do without a rollout, and the canary's share."""
        found = Counter[Hashable]()
        for arrival, amount in base.items():
            twin = self.twin(arrival)
            if twin is None:
                found[arrival] += amount
                continue
            self._stable.add(arrival)
            self._canary.add(twin)
            found[arrival] += amount * (1 - canary)
            found[twin] += amount * canary
        return {arrival: Fraction(amount) for arrival, amount in found.items() if amount}

    def agree(self, actual: Shares, wanted: Shares, request: Hashable) -> None:
        """Hold shares to those that are wanted: exactly, or each to less than `inexact`, and no side to nothing."""
        if not self.inexact:
            assert actual == wanted, request
            return
        assert sum(actual.values()) == sum(wanted.values()), request
        for one in actual | wanted:
            assert abs(actual.get(one, 0) - wanted.get(one, 0)) < self.inexact, (request, actual, wanted)
        for side in (self._stable, self._canary):
            parts = [sum((found.get(one, Fraction(0)) for one in side), Fraction(0)) for found in (actual, wanted)]
            assert bool(parts[0]) == bool(parts[1]), (request, actual, wanted)


def of_weights(weighted: Iterable[tuple[Hashable, int | Fraction]]) -> Shares:
    """Return the share of each arrival, where they count as much as their weights."""
    pairs = list(weighted)
    total = sum(weight for _, weight in pairs)
    found = Counter[Hashable]()
    for arrival, weight in pairs:
        found[arrival] += Fraction(weight, total) if total else 0
    return {arrival: Fraction(part) for arrival, part in found.items() if part}


def schema(name: str) -> Callable[[Manifest], None]:
    """Return what holds a manifest to the schema of its version in a CRD, to nothing where that is not at hand."""
    path = Path(__file__).parent.parent.parent.parent / "shared" / "crds" / f"{name}.yaml"
    if not path.exists():
        return lambda _: None
    versions = {one["name"]: one["schema"] for one in yaml.safe_load(path.read_text())["spec"]["versions"]}
    # Some have the `exclusiveMaximum: true` of OpenAPI 3.0.
    known = {name: jsonschema.Draft4Validator(one["openAPIV3Schema"]) for name, one in versions.items()}
    return lambda manifest: known[manifest["apiVersion"].partition("/")[2]].validate(manifest)
