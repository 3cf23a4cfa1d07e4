"""The fields of a Rollout and a TrafficRouting: another one is a mistake, for an API server drops it without a word.

Two of the spellings are older than the API: ``networkRefs``, and ``createCanaryService`` beside a Service. One is ours:
``patchPodTemplateMetadata`` in blue-green, without which one Service could not have both sides.
"""

from krmfn.dialects.kruise.reader import ALPHA, BETA

TYPE_CHECKING = False
if TYPE_CHECKING:
    from krmfn.fields import Fields

    Known = dict[str, "Known | list[Known] | None"]


def _any(names: str) -> "Known":
    """Return fields below which anything may stand."""
    return dict.fromkeys(names.split())


NAMED, REFERENCE = _any("name value"), _any("apiVersion kind name")
CONDITION = _any("key name type value")
MATCHES: "list[Known]" = [{"headers": [CONDITION], "queryParams": [CONDITION], "path": _any("type value")}]
MODIFIER: "Known" = {"add": [NAMED], "set": [NAMED], "remove": None}
STEP: "Known" = {
    "matches": MATCHES,
    "pause": _any("duration"),
    "replicas": None,
    "requestHeaderModifier": MODIFIER,
}
ROUTING: "Known" = {
    **_any("createCanaryService gracePeriodSeconds service"),
    "customNetworkRefs": [REFERENCE],
    "gateway": _any("httpRouteName"),
    "ingress": _any("classType name"),
    "networkRefs": [REFERENCE],
}
STRATEGY: "Known" = {
    **_any("disableGenerateCanaryService failureThreshold"),
    "patchPodTemplateMetadata": _any("annotations labels"),
    "trafficRoutings": [ROUTING],
}
NEWER: "Known" = {**STRATEGY, "steps": [STEP | _any("traffic")], "trafficRoutingRef": None}
SPECS: "dict[str, Known]" = {
    ALPHA: {
        **_any("disabled rolloutID"),
        "objectRef": {"type": None, "workloadRef": REFERENCE},
        "strategy": {
            "canary": {**STRATEGY, "steps": [STEP | _any("weight")]},
            "paused": None,
        },
    },
    BETA: {
        **_any("disabled rolloutID"),
        "strategy": {
            "blueGreen": NEWER,
            "canary": {**NEWER, "enableExtraWorkloadForCanary": None},
            "paused": None,
        },
        "workloadRef": REFERENCE,
    },
}
RULE: "Known" = {
    "objectRef": [ROUTING],
    "strategy": {"matches": MATCHES, "requestHeaderModifier": MODIFIER, "weight": None},
}


def check(place: "Fields", known: "Known") -> None:
    """Note every field below a place that is not known there, unless that was noted before."""
    for key in place.value if isinstance(place.value, dict) else ():
        below = known.get(key)
        if key not in known and all(noted.field != place.at(str(key)).path for noted in place.problems):
            place.at(str(key)).problem(f"is not known{_hint(str(key), known)}")
        elif isinstance(below, dict):
            check(place.at(key), below)
        elif below and isinstance(place.at(key).value, list):
            for entry in place.sequence(key):
                check(entry, below[0])


def _hint(key: str, known: "Known") -> str:
    import difflib

    near = difflib.get_close_matches(key, known, 1)
    return f"; did you mean {near[0]}?" if near else f"; there are {', '.join(sorted(known))}"
