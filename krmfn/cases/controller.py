"""A case written for a controller: a rollout or a routing, the object as it was, and what it is at each step.

``expected`` has one object for each step of a ``rollout``, and one for a ``trafficRouting``. Each step is worked out
from ``original``. Only spec, labels and annotations are compared: names and versions in ``expected`` say nothing.
"""

from krmfn import lua, shapes
from krmfn.cases.asked import plan, stages
from krmfn.cases.verdict import FAILED, KEPT, Verdict, arranged, reasons, unlike
from krmfn.errors import KrmfnError
from krmfn.fields import Fields
from krmfn.frozen import Value
from krmfn.krm import load, new, same
from krmfn.lua.script import INGRESS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from krmfn.krm.item import Manifest
    from krmfn.plan import Plan

ROLLOUT, ROUTING = "rollout", "trafficRouting"
MEMBERS = ("labels", "annotations")


class Case(Value):
    """One file: the plan of its rollout, the object as it was, and one object for each step."""

    path: str
    plan: "Plan"
    original: "Manifest"
    expected: "list[Manifest]"

    @property
    def variant(self) -> str:
        """The class of the route that the case is about, "" where its kind has no classes."""
        return next((route.variant for route in self.plan.routes if route.variant), "")

    def verdict(self, script: lua.Script) -> Verdict:
        """Try every step with a script."""
        steps = stages(self.plan, self.original)
        if len(steps) != len(self.expected):
            return Verdict(self.path, FAILED, f"{_steps(len(steps))}, but expected has {len(self.expected)}")
        pairs = zip(steps, self.expected, strict=True)
        tried = [self._step(script, stage, want, number) for number, (stage, want) in enumerate(pairs, 1)]
        if not any(tried):
            return Verdict(self.path, KEPT, _steps(len(steps)))
        failed = f"not as expected at {sum(map(bool, tried))} of {_steps(len(steps))}"
        return Verdict(self.path, FAILED, failed, tuple(line for lines in tried for line in lines))

    def _step(self, script: lua.Script, stage: "Manifest", expected: "Manifest", number: int) -> "list[str]":
        """Return how a step differs from what is expected of it; nothing where it does not."""
        try:
            made = [_compared(manifest) for manifest in lua.render(script, self.original, stage)]
        except KrmfnError as problem:
            return reasons(problem, f"step {number}: ")
        wanted = _compared(expected)
        if script.shape == INGRESS and "spec" not in expected:
            wanted["spec"] = made[0]["spec"]  # the script writes annotations, and cannot get the rest wrong
        return [] if same([wanted], made) else unlike(wanted, arranged(made[0], wanted), f" at step {number}")


def read(path: str, text: str) -> Case:
    """Read a case. Raises KrmfnError naming all that is wrong with it, or with its rollout."""
    place = Fields(load(text))
    asked = [place.mapping(key) for key in (ROLLOUT, ROUTING) if place.has(key)]
    if len(asked) != 1:
        place.problem(f"is not a case: it has one of {ROLLOUT} and {ROUTING}, and this one has {len(asked) or 'none'}")
    objects: list[Any] = [_object(place.mapping("original", required=True))]
    objects += [_object(one) for one in place.sequence("expected")]
    if len(objects) == 1:
        place.at("expected").problem("has no object; there is one for each step")
    place.settle()
    shapes.check(new(objects[0]))
    rules: Any = asked[0].value
    return Case(path, plan(rules, routing=place.has(ROUTING)), objects[0], objects[1:])


def _object(place: Fields) -> "Any":
    """Return an object of which as much is well formed as is compared."""
    if place and not isinstance(place.value, dict):
        place.problem("must be a mapping")
    metadata = place.mapping("metadata")
    for member in MEMBERS:
        metadata.mapping(member)
    return place.value


def _compared(manifest: "Manifest") -> "Manifest":
    metadata = manifest.get("metadata") or {}
    kept = {key: metadata.get(key) or {} for key in MEMBERS}
    return {"spec": manifest.get("spec")} | {key: value for key, value in kept.items() if value}


def _steps(count: int) -> str:
    return f"{count} step{'s' if count != 1 else ''}"
