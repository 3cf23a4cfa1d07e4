"""The stamp by which the pods of a revision are known: a label on its template, or the name of the template itself.

Where an object keeps several revisions of itself, each may be named by its template, and the cluster marks its pods
with that name. What the cluster makes up for a template without a name nobody could tell from the manifests.
"""

from krmfn.config import TRACK, TRACKED
from krmfn.state import fingerprint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from krmfn.krm.item import Manifest

REVISION = "krmfn.dev/revision"
SIZE = 5
# What makes a name ours: no time and no commit, by which people call theirs, begins with this letter.
_OURS = "r"
_DIGITS = frozenset("0123456789abcdef")


def stamped(template: "Manifest", mode: str, key: str, workload: str) -> "Manifest":
    """Return the template as the author's own workload carries it: stamped under ``track``, else as it is."""
    if mode != TRACKED:
        return template
    if key in (TRACK, REVISION):
        return labelled(template, {key: revision(template) if key == REVISION else "stable"})
    return template | {"metadata": (template.get("metadata") or {}) | {"name": revision_name(template, workload)}}


def revision(template: "Manifest") -> str:
    """Return the value by which the pods of a template are known, where both versions are pods of one workload."""
    return fingerprint(template, SIZE)


def revision_name(template: "Manifest", workload: str) -> str:
    """Return the name of a revision: the author's, else that of its workload and a digest of the template."""
    if own := own_name(template, workload):
        return own
    metadata = {key: value for key, value in (template.get("metadata") or {}).items() if key != "name"}
    rest = {key: value for key, value in template.items() if key != "metadata"}
    return f"{workload}-{_OURS}{revision(rest | ({'metadata': metadata} if metadata else {}))}"


def own_name(template: "Manifest", workload: str) -> str:
    """Return the name that the author gave to a template, "" where it has none, or one of ours from another run."""
    found = str((template.get("metadata") or {}).get("name") or "")
    digits = found.removeprefix(f"{workload}-{_OURS}")
    ours = found != digits and len(digits) == 2 * SIZE and _DIGITS.issuperset(digits)
    return "" if ours else found


def labelled(template: "Manifest", wanted: dict[str, str]) -> "Manifest":
    """Return the template with some more labels on its pods."""
    metadata = template.get("metadata") or {}
    return template | {"metadata": metadata | {"labels": (metadata.get("labels") or {}) | wanted}}
