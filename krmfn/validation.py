"""Whether a package can be released, from 0 to complete and back: nothing is changed, and everything wrong is said."""

from krmfn.function import Rendered
from krmfn.report.outlook import Prospect, outlooks
from krmfn.results import ERROR, INFO, Result

TYPE_CHECKING = False
if TYPE_CHECKING:
    from krmfn.config import Config
    from krmfn.krm import Package


def validated(package: "Package", config: "Config") -> Rendered:
    """Return the findings of every position that the rollouts of a package have."""
    found, results = outlooks(Prospect(package, config))
    for outlook in found:
        count = len({str(commit.position) for edge in outlook.edges for commit in edge.commits}) + 1
        message = f"each of its {count} positions can be rendered"
        if not outlook.known:
            message = "its plan is sound; what each position changes is not known, since there is one revision"
        results.append(Result(INFO, message, outlook.plan.rollout))
    return Rendered({}, tuple(results), failed=any(result.severity == ERROR for result in results))
