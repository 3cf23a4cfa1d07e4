"""The fields of a Rollout and a TrafficRouting: another one is a mistake, for an API server drops it without a word.

Two of the spellings are older than the API: ``networkRefs``, and ``createCanaryService`` beside a Service. One is ours:
``patchPodTemplateMetadata`` in blue-green, without which one Service could not have both sides.
"""

from krmfn.dialects.kruise.reader import ALPHA, BETA
from krmfn.known import anything

TYPE_CHECKING = False
if TYPE_CHECKING:
    from krmfn.known import Known

NAMED, REFERENCE = anything("name value"), anything("apiVersion kind name")
CONDITION = anything("key name type value")
MATCHES: "list[Known]" = [{"headers": [CONDITION], "queryParams": [CONDITION], "path": anything("type value")}]
MODIFIER: "Known" = {"add": [NAMED], "set": [NAMED], "remove": None}
STEP: "Known" = {
    "matches": MATCHES,
    "pause": anything("duration"),
    "replicas": None,
    "requestHeaderModifier": MODIFIER,
}
ROUTING: "Known" = {
    **anything("createCanaryService gracePeriodSeconds service"),
    "customNetworkRefs": [REFERENCE],
    "gateway": anything("httpRouteName"),
    "ingress": anything("classType name"),
    "networkRefs": [REFERENCE],
}
STRATEGY: "Known" = {
    **anything("disableGenerateCanaryService failureThreshold"),
    "patchPodTemplateMetadata": anything("annotations labels"),
    "trafficRoutings": [ROUTING],
}
NEWER: "Known" = {**STRATEGY, "steps": [STEP | anything("traffic")], "trafficRoutingRef": None}
SPECS: "dict[str, Known]" = {
    ALPHA: {
        **anything("disabled rolloutID"),
        "objectRef": {"type": None, "workloadRef": REFERENCE},
        "strategy": {
            "canary": {**STRATEGY, "steps": [STEP | anything("weight")]},
            "paused": None,
        },
    },
    BETA: {
        **anything("disabled rolloutID"),
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
