"""Moving over a Service of Knative: its traffic becomes Git's, before nobody holds it in the cluster any more.

Sources: at rest the annotation names the latest revision, which gets everything; both are in the cluster alone.
"""

from krmfn.adoption import Commit, Signs, kubectl, show, without
from krmfn.view import Edited

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from krmfn.dialects.flagger.reader import Reader
    from krmfn.fields import Fields
    from krmfn.krm import Item

NOTE = "flagger.app/primary-revision"
TRAFFIC = ("spec", "traffic")
ALL = [{"latestRevision": True, "percent": 100}]


def divided(signs: Signs, reader: "Reader") -> None:
    """Note a Service that stands in Git as the controller divides it in the middle of a release."""
    for entry in _traffic(signs, reader.item) if reader.item and _noted(reader.item) else ():
        if not entry.text("revisionName") and (percent := entry.whole("percent")):
            entry.at("percent").problem(
                f"gives {percent} to the latest revision beside the one that {NOTE} names; end the "
                "release, and write 0 before moving over"
            )


def turned(reader: "Reader") -> Commit:
    """Return the commit by which requests follow what Git says."""
    shown = show(reader.workload, ".status.traffic")
    return Commit(
        f"Git says where the requests of {reader.workload} go",
        "In the cluster its traffic names the revision that Flagger has promoted, which is the latest. From here on it "
        "follows what Git says.",
        (
            f"wait until the latest revision gets everything: `{shown}`",
            f"by hand, for nobody reads it any more: `{kubectl('annotate', reader.workload, f'{NOTE}-')}`",
        ),
        edits=tuple(_edits(reader.item)) if reader.item else (),
    )


def _edits(item: "Item") -> "Iterator[Edited]":
    traffic = (item.value.get("spec") or {}).get("traffic")
    if not traffic or _noted(item):
        yield Edited(item, TRAFFIC, ALL)
    yield from without(item, NOTE)


def _noted(item: "Item") -> bool:
    return NOTE in ((item.value.get("metadata") or {}).get("annotations") or {})


def _traffic(signs: Signs, item: "Item") -> "Iterator[Fields]":
    return signs.of(item).mapping("spec").sequence("traffic")
