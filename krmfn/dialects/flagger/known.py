"""The fields of a Canary: one that is not among them is a mistake, for an API server drops it without a word."""

from krmfn.dialects.flagger.reader import keys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from krmfn.dialects.flagger.reader import Reader
    from krmfn.fields import Fields

SPEC = (
    "analysis autoscalerRef canaryAnalysis ingressRef metricsServer progressDeadlineSeconds provider revertOnDeletion "
    "routeRef service skipAnalysis suspend targetRef upstreamRef"
)
SERVICE = (
    "apex appProtocol backendTimeout backends canary corsPolicy delegation gatewayRefs gateways headers headless hosts "
    "match meshName mirror name port portDiscovery portName primary retries rewrite targetPort timeout "
    "trafficDistribution trafficPolicy unmanagedMetadata"
)
ANALYSIS = (
    "alerts canaryReadyThreshold interval iterations match maxWeight metrics mirror mirrorWeight primaryReadyThreshold "
    "sessionAffinity stepWeight stepWeightPromotion stepWeights threshold webhooks"
)
AFFINITY = "cookieName domain httpOnly maxAge partitioned path primaryCookieName sameSite secure"
MATCH = "headers queryParams sourceLabels"
REFERENCE = "apiVersion kind name namespace"
SCALER = f"{REFERENCE} primaryScalerQueries primaryScalerReplicas"


def check(reader: "Reader") -> None:
    """Note each field that is none, with the one that was meant."""
    for place, known in _places(reader):
        for key in keys(place):
            if key not in known.split():
                import difflib

                near = difflib.get_close_matches(key, known.split(), 1)
                place.at(key).problem(f"is no field of a Canary{f'; did you mean {near[0]}?' if near else ''}")


def _places(reader: "Reader") -> "Iterator[tuple[Fields, str]]":
    yield reader.spec, SPEC
    yield reader.service, SERVICE
    yield reader.analysis, ANALYSIS
    yield reader.analysis.at("sessionAffinity"), AFFINITY
    yield reader.spec.at("autoscalerRef"), SCALER
    for key in ("targetRef", "ingressRef", "routeRef", "upstreamRef"):
        yield reader.spec.at(key), REFERENCE
    for entry in reader.analysis.sequence("match"):
        yield entry, MATCH
