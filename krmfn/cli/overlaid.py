"""An overlay of kustomize is no package: its rollout stands elsewhere, and what is here of it is a patch."""

import click

from krmfn import dialects
from krmfn.changes import at
from krmfn.cli.listing import NAMES
from krmfn.errors import KrmfnError
from krmfn.folder.reading import SUFFIXES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from krmfn.krm import Item, Package

BASES = ("resources", "bases", "components")
PATCHES = ("patches", "patchesStrategicMerge", "patchesJson6902")


def refuse_overlay(path: str, package: "Package") -> None:
    """Raise KrmfnError with what to run instead where a folder is built on others, and has no rollout but patches."""
    there = [stream.path for stream in package.streams]
    for item in (item for item in package.items if item.path in NAMES):
        patches = set(_entries(item, PATCHES))
        if _elsewhere(item, there) and all(rollout.path in patches for rollout in _rollouts(package)):
            command = click.get_current_context().info_name
            raise KrmfnError(
                f"{path} is an overlay, and its rollout is elsewhere; run `kustomize build {path} | krmfn {command} -`",
                file=item.path,
            )


def _elsewhere(item: "Item", there: list[str]) -> bool:
    """Tell whether a kustomization is built on what is not in the package: another folder, or an address."""
    for entry in _entries(item, BASES):
        outside = entry.startswith("../") or "://" in entry or not entry.endswith(SUFFIXES)
        if outside and not any(name.startswith(f"{entry}/") for name in there):
            return True
    return False


def _rollouts(package: "Package") -> "Iterator[Item]":
    for api in dialects.DIALECTS:
        yield from (item for item in package.find(*api) if (item.ref.group, item.ref.kind) == api)


def _entries(item: "Item", keys: tuple[str, ...]) -> "Iterator[str]":
    for entries in (at(item.value, (key,)) for key in keys):
        for entry in entries if isinstance(entries, list) else ():
            name = entry.get("path") if isinstance(entry, dict) else entry
            if isinstance(name, str):
                yield name.removeprefix("./").rstrip("/")
