"""Scripts that people wrote for Kruise, run unmodified.

Kruise calls a script in one of two shapes, with everything in the global ``obj``:

    ingress   annotations, weight (a text, "-1" where there is none), matches, canaryService, requestHeaderModifier;
              returns all annotations of the canary's Ingress, whose other parts are made here
    custom    data {spec, labels, annotations}, canaryWeight (-1 where there is none), stableWeight, matches,
              canaryService, stableService, requestHeaderModifier, patchPodMetadata {labels, annotations};
              returns data, which replaces that of the object

Where the canary gets nothing a script is not asked, but for a subset of a Service that has both sides: then objects
that are applied one after the other have to know it before the first request, and it is asked for a weight of 0.
Kruise hands a script what it made of the object at the step before; here it is always the object as it was written.
An empty table that comes back is a list or a map as it was in the object, also where a script has made a copy; one
that was nowhere in it is left out, as Kruise's null is by the API server.
"""

from krmfn.errors import KrmfnError
from krmfn.lua.box import boxed
from krmfn.lua.crossing import encode
from krmfn.lua.library import load
from krmfn.lua.room import provide, ref_of, result
from krmfn.lua.script import CUSTOM, Script
from krmfn.lua.shape import check

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from krmfn.lua.room import Limits

    Manifest = dict[str, Any]

# What Kruise's API does not ask of a request.
UNKNOWN = {"callers": "labels of who calls", "method": "the method of a request"}
COOKIE = "canary-by-cookie"  # a header of this name asks for the cookie that is its value

SKELETON = """
local ingress = use "ingress"
return {
  supports = {},
  reads = ingress.reads,
  render = function(given, stage) return { ingress.canary(given, stage) } end,
}
"""


def adapt(script: Script, given: "Manifest", stage: "Manifest", limits: "Limits") -> "list[Manifest]":
    """Return what a Kruise script makes of one manifest at one stage; as ``krmfn.lua.render``."""
    return (_custom if script.shape == CUSTOM else _ingress)(script, given, stage, limits)


def _ingress(script: Script, given: "Manifest", stage: "Manifest", limits: "Limits") -> "list[Manifest]":
    (canary,) = provide(load(script.name, SKELETON), given, stage)
    idle = _idle(stage)
    obj = {
        # Kruise gives no table where there are no annotations, on which half of its own scripts break.
        "annotations": (given.get("metadata") or {}).get("annotations") or {},
        "weight": "0" if idle else str(_weight(stage)),
        "matches": None if idle else _matches(script, given, stage),
        "canaryService": stage["canaryService"],
        "requestHeaderModifier": None if idle else _modifier(stage),
    }
    made = _run(script, given, obj, "annotations", limits)
    canary["metadata"]["annotations"] = _texts(script, given, made, "annotations")
    return [canary]


def _custom(script: Script, given: "Manifest", stage: "Manifest", limits: "Limits") -> "list[Manifest]":
    check(script.reads, given, ref_of(given))
    idle = _idle(stage)
    if idle and not stage.get("subset"):
        return [given]
    weight, meta = 0 if idle else _weight(stage), given.get("metadata") or {}
    data = {"spec": given.get("spec"), "labels": meta.get("labels"), "annotations": meta.get("annotations")}
    obj = {
        "data": {key: value for key, value in data.items() if value is not None},
        "canaryWeight": weight,
        "stableWeight": 100 - weight,
        "matches": None if idle else _matches(script, given, stage),
        "canaryService": stage["canaryService"],
        "stableService": stage["stableService"],
        "requestHeaderModifier": None if idle else _modifier(stage),
        "patchPodMetadata": stage.get("podMetadata"),
    }
    made = _run(script, given, obj, "data", limits)
    if not isinstance(made, dict) or not isinstance(made.get("spec", {}), dict) or ("spec" in given) > ("spec" in made):
        raise _wrong(script, given, "returned no data: it must be a table with the member spec")
    return [_applied(script, given, obj["data"], made)]


def _applied(script: Script, given: "Manifest", data: "Manifest", made: "Manifest") -> "Manifest":
    """Return the object with the data that came back. A member that was handed out and did not come back is gone."""
    meta = dict(given.get("metadata") or {})
    for member in ("labels", "annotations"):
        if member in made:
            meta[member] = _texts(script, given, made[member], member)
        elif member in data:
            del meta[member]
    return {**given, "metadata": meta, **({"spec": made["spec"]} if "spec" in made else {})}


def _run(script: Script, given: "Manifest", obj: "Manifest", like: str, limits: "Limits") -> "Any":
    text = encode({key: value for key, value in obj.items() if value is not None})
    return result(script, boxed(script, text, like, limits), given, limits)


def _weight(stage: "Manifest") -> int:
    return -1 if stage.get("weight") is None else int(stage["weight"])


def _idle(stage: "Manifest") -> bool:
    return bool(stage.get("neutral")) or (stage.get("weight") is None and not stage.get("matches"))


def _matches(script: Script, given: "Manifest", stage: "Manifest") -> "list[Manifest] | None":
    """Return the matches as Kruise's API writes them: no empty members, and no list where there are none."""
    matches = []
    for match in stage.get("matches") or []:
        for part, words in UNKNOWN.items():
            if match.get(part):
                raise _wrong(script, given, f"cannot be told of {words}; match on a header", "matches")
        cookies = [_cookie(script, given, cookie) for cookie in match.get("cookies") or []]
        plain = {**match, "headers": [*(match.get("headers") or []), *cookies], "cookies": None}
        matches.append({key: value for key, value in plain.items() if value})
    return matches or None


def _cookie(script: Script, given: "Manifest", cookie: "Manifest") -> "Manifest":
    if script.shape == CUSTOM or cookie["value"] != "always":
        advice = "match on a header" if script.shape == CUSTOM else 'match on a header, or on the cookie value "always"'
        raise _wrong(script, given, f"cannot be told of the cookie {cookie['name']}; {advice}", "matches")
    return {"type": "Exact", "name": COOKIE, "value": cookie["name"]}


def _modifier(stage: "Manifest") -> "Manifest | None":
    return {key: value for key, value in (stage.get("headerModifier") or {}).items() if value} or None


def _texts(script: Script, given: "Manifest", made: "Any", member: str) -> "dict[str, str]":
    if not isinstance(made, dict):
        raise _wrong(script, given, f"returned {member} that are no table of names and texts")
    for name, value in made.items():
        if not isinstance(value, str):
            raise _wrong(script, given, f"returned the value {value!r} in {member}; use tostring", f"{member}[{name}]")
    return made


def _wrong(script: Script, given: "Manifest", message: str, field: str = "") -> KrmfnError:
    return KrmfnError(f"{script.name}: {message}", ref=ref_of(given), field=field)
