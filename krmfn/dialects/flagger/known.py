"""The fields of a Canary: one that is not among them is a mistake, for an API server drops it without a word."""

from krmfn.known import anything

TYPE_CHECKING = False
if TYPE_CHECKING:
    from krmfn.known import Known

REFERENCE = anything("apiVersion kind name namespace")
SIDE = anything("annotations labels")
SERVICE: "Known" = {
    **anything("appProtocol backendTimeout backends corsPolicy delegation gatewayRefs gateways headers headless hosts"),
    **anything("match meshName mirror name port portDiscovery portName retries rewrite targetPort timeout"),
    **anything("trafficDistribution trafficPolicy unmanagedMetadata"),
    **dict.fromkeys(("apex", "canary", "primary"), SIDE),
}
ANALYSIS: "Known" = {
    **anything("alerts canaryReadyThreshold interval iterations maxWeight metrics mirror mirrorWeight"),
    **anything("primaryReadyThreshold stepWeight stepWeightPromotion stepWeights threshold webhooks"),
    "match": [anything("headers queryParams sourceLabels")],
    "sessionAffinity": anything("cookieName domain httpOnly maxAge partitioned path primaryCookieName sameSite secure"),
}
SPEC: "Known" = {
    **anything("metricsServer progressDeadlineSeconds provider revertOnDeletion skipAnalysis suspend"),
    "analysis": ANALYSIS,
    "autoscalerRef": REFERENCE | anything("primaryScalerQueries primaryScalerReplicas"),
    "canaryAnalysis": ANALYSIS,
    "ingressRef": REFERENCE,
    "routeRef": REFERENCE,
    "service": SERVICE,
    "targetRef": REFERENCE,
    "upstreamRef": REFERENCE,
}
