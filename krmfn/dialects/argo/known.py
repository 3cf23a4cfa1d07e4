"""The fields of a Rollout: one that is not among them is a mistake, for an API server drops it without a word."""

from krmfn.known import anything

TYPE_CHECKING = False
if TYPE_CHECKING:
    from krmfn.known import Known

VALUE = anything("exact prefix regex")
STEP: "Known" = {
    **anything("setWeight analysis experiment plugin"),
    "pause": anything("duration"),
    "setCanaryScale": anything("replicas weight matchTrafficWeight"),
    "setHeaderRoute": {"name": None, "match": [{"headerName": None, "headerValue": VALUE}]},
    "setMirrorRoute": {
        **anything("name percentage"),
        "match": [{"headers": None, "method": VALUE, "path": VALUE}],
    },
}
SERVICE: "Known" = {
    **anything("name routes"),
    "tcpRoutes": [anything("port")],
    "tlsRoutes": [anything("port sniHosts")],
}
NODE = anything("name")
ROUTING: "Known" = {
    **anything("maxTrafficWeight plugins"),
    "managedRoutes": [anything("name")],
    "alb": {
        **anything("annotationPrefix ingress ingresses rootService servicePort"),
        "stickinessConfig": anything("enabled durationSeconds"),
    },
    "ambassador": anything("mappings"),
    "apisix": {"route": anything("name rules")},
    "appMesh": {
        "virtualService": anything("name routes"),
        "virtualNodeGroup": {"canaryVirtualNodeRef": NODE, "stableVirtualNodeRef": NODE},
    },
    "istio": {
        "destinationRule": anything("name canarySubsetName stableSubsetName additionalSubsetNames"),
        "virtualService": SERVICE,
        "virtualServices": [SERVICE],
    },
    "nginx": anything(
        "additionalIngressAnnotations annotationPrefix canaryIngressAnnotations stableIngress stableIngresses"
    ),
    "smi": anything("rootService trafficSplitName"),
    "traefik": anything("weightedTraefikServiceName"),
}
METADATA = anything("labels annotations")
AFFINITY: "Known" = {
    "preferredDuringSchedulingIgnoredDuringExecution": anything("weight"),
    "requiredDuringSchedulingIgnoredDuringExecution": None,
}
CANARY: "Known" = {
    **anything("abortScaleDownDelaySeconds analysis canaryService dynamicStableScale maxSurge maxUnavailable"),
    **anything("minPodsPerReplicaSet replicaProgressThreshold scaleDownDelayRevisionLimit scaleDownDelaySeconds"),
    "stableService": None,
    "antiAffinity": AFFINITY,
    "canaryMetadata": METADATA,
    "pingPong": anything("pingService pongService"),
    "stableMetadata": METADATA,
    "steps": [STEP],
    "trafficRouting": ROUTING,
}
BLUE_GREEN: "Known" = {
    **anything("abortScaleDownDelaySeconds activeService autoPromotionEnabled autoPromotionSeconds maxUnavailable"),
    **anything("postPromotionAnalysis prePromotionAnalysis previewReplicaCount previewService"),
    **anything("scaleDownDelayRevisionLimit scaleDownDelaySeconds"),
    "activeMetadata": METADATA,
    "antiAffinity": AFFINITY,
    "previewMetadata": METADATA,
}
SPEC: "Known" = {
    **anything("analysis minReadySeconds paused progressDeadlineAbort progressDeadlineSeconds replicas restartAt"),
    **anything("revisionHistoryLimit rollbackWindow selector template"),
    "strategy": {"blueGreen": BLUE_GREEN, "canary": CANARY},
    "workloadRef": anything("apiVersion kind name scaleDown"),
}
