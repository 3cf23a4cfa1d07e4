"""What ``--in-place`` does to a kustomization: it lists files by name, and files come and go with the canary."""

from krmfn.hosts import local
from krmfn.results import WARNING, Result

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping

    from krmfn.function import Rendered
    from krmfn.krm import Package

NAMES = ("kustomization.yaml", "kustomization.yml")


def unlisted(package: "Package", outcome: "Rendered", files: "Mapping[str, bytes | None]") -> "Iterator[Result]":
    """Yield a warning for each file that came and is not listed by the nearest kustomization, or went and still is."""
    there = {stream.path for stream in package.streams}
    new = {item.path for items in outcome.changes.values() for item in items if not local(item)} - there
    gone = {name for name, data in files.items() if data is None}
    folders = {item.path.rpartition("/")[0]: item for item in package.items if item.path.rpartition("/")[2] in NAMES}
    for name in sorted(new | gone):
        folder = _nearest(name, folders)
        if folder is None:
            continue
        item = folders[folder]
        listed, entry = item.value.get("resources") or [], name[len(folder) :].lstrip("/")
        if name in new and entry not in listed:
            yield Result(WARNING, f"does not list {entry}, which is new; add it", None, "resources", item.path)
        elif name in gone and entry in listed:
            yield Result(WARNING, f"lists {entry}, which is gone; remove it", None, "resources", item.path)


def _nearest(name: str, folders: "Container[str]") -> str | None:
    """Return the nearest folder above a file that has a kustomization."""
    while name:
        name = name.rpartition("/")[0]
        if name in folders:
            return name
    return None
