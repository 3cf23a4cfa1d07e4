"""The fields of a Rollout: one that is not among them is a mistake, for an API server drops it without a word."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from krmfn.fields import Fields

    Known = dict[str, "Known | list[Known] | None"]


def _any(names: str) -> "Known":
    """Return fields below which anything may stand."""
    return dict.fromkeys(names.split())


VALUE = _any("exact prefix regex")
STEP: "Known" = {
    **_any("setWeight analysis experiment plugin"),
    "pause": _any("duration"),
    "setCanaryScale": _any("replicas weight matchTrafficWeight"),
    "setHeaderRoute": {"name": None, "match": [{"headerName": None, "headerValue": VALUE}]},
    "setMirrorRoute": {
        **_any("name percentage"),
        "match": [{"headers": None, "method": VALUE, "path": VALUE}],
    },
}
SERVICE: "Known" = {
    **_any("name routes"),
    "tcpRoutes": [_any("port")],
    "tlsRoutes": [_any("port sniHosts")],
}
NODE = _any("name")
ROUTING: "Known" = {
    **_any("maxTrafficWeight plugins"),
    "managedRoutes": [_any("name")],
    "alb": {
        **_any("annotationPrefix ingress ingresses rootService servicePort"),
        "stickinessConfig": _any("enabled durationSeconds"),
    },
    "ambassador": _any("mappings"),
    "apisix": {"route": _any("name rules")},
    "appMesh": {
        "virtualService": _any("name routes"),
        "virtualNodeGroup": {"canaryVirtualNodeRef": NODE, "stableVirtualNodeRef": NODE},
    },
    "istio": {
        "destinationRule": _any("name canarySubsetName stableSubsetName additionalSubsetNames"),
        "virtualService": SERVICE,
        "virtualServices": [SERVICE],
    },
    "nginx": _any(
        "additionalIngressAnnotations annotationPrefix canaryIngressAnnotations stableIngress stableIngresses"
    ),
    "smi": _any("rootService trafficSplitName"),
    "traefik": _any("weightedTraefikServiceName"),
}
METADATA = _any("labels annotations")
AFFINITY: "Known" = {
    "preferredDuringSchedulingIgnoredDuringExecution": _any("weight"),
    "requiredDuringSchedulingIgnoredDuringExecution": None,
}
CANARY: "Known" = {
    **_any("abortScaleDownDelaySeconds analysis canaryService dynamicStableScale maxSurge maxUnavailable"),
    **_any("minPodsPerReplicaSet replicaProgressThreshold scaleDownDelayRevisionLimit scaleDownDelaySeconds"),
    "stableService": None,
    "antiAffinity": AFFINITY,
    "canaryMetadata": METADATA,
    "pingPong": _any("pingService pongService"),
    "stableMetadata": METADATA,
    "steps": [STEP],
    "trafficRouting": ROUTING,
}
BLUE_GREEN: "Known" = {
    **_any("abortScaleDownDelaySeconds activeService autoPromotionEnabled autoPromotionSeconds maxUnavailable"),
    **_any("postPromotionAnalysis prePromotionAnalysis previewReplicaCount previewService"),
    **_any("scaleDownDelayRevisionLimit scaleDownDelaySeconds"),
    "activeMetadata": METADATA,
    "antiAffinity": AFFINITY,
    "previewMetadata": METADATA,
}
SPEC: "Known" = {
    **_any("analysis minReadySeconds paused progressDeadlineAbort progressDeadlineSeconds replicas restartAt"),
    **_any("revisionHistoryLimit rollbackWindow selector template"),
    "strategy": {"blueGreen": BLUE_GREEN, "canary": CANARY},
    "workloadRef": _any("apiVersion kind name scaleDown"),
}


def check(place: "Fields", known: "Known") -> None:
    """Note every field below a place that a Rollout does not have."""
    for key in place.value if isinstance(place.value, dict) else ():
        if key not in known:
            place.at(str(key)).problem(f"is not known{_hint(str(key), known)}")
            continue
        below = known[key]
        if isinstance(below, list):
            for entry in place.sequence(key) if isinstance(place.at(key).value, list) else ():
                check(entry, below[0])
        elif below is not None:
            check(place.at(key), below)


def _hint(key: str, known: "Known") -> str:
    import difflib

    near = difflib.get_close_matches(key, known, 1)
    return f"; did you mean {near[0]}?" if near else f"; there are {', '.join(sorted(known))}"
