"""Label selectors: which pods one chooses (the rules of ``metav1.LabelSelector`` and of a Service's plain map)."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from krmfn.krm.item import Manifest


def chooses(selector: "Manifest", pods: dict[str, str]) -> bool:
    """Tell whether a ``metav1.LabelSelector`` chooses pods with these labels; the empty one chooses all."""
    match = selector.get("matchLabels") or {}
    return matches(match, pods) and all(_holds(e, pods) for e in selector.get("matchExpressions") or ())


def matches(match: "Manifest", pods: dict[str, str]) -> bool:
    """Tell whether every label of the map is on the pods."""
    return all(pods.get(key) == value for key, value in match.items())


def _holds(expression: "Manifest", pods: dict[str, str]) -> bool:
    key, values = expression.get("key"), expression.get("values") or ()
    found = pods.get(str(key))
    holds = {"In": found in values, "NotIn": found not in values, "Exists": found is not None}
    return holds.get(str(expression.get("operator")), found is None)
