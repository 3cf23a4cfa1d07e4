"""The only door to Lua: find the script for a kind of route, and render with it.

A script gets one manifest and one stage, never a rollout, and returns manifests. Ours run in this process, with a
budget of instructions; in them a forgotten ``local`` is an error. A user's script runs in a child process with limits;
its globals are its own affair (the scripts that Kruise ships leak several) and end with the run.

Lua itself is imported when the first script is needed.
"""

from krmfn.lua import asked, shape
from krmfn.lua.library import find, from_config, load
from krmfn.lua.room import STANDARD, Limits, provide, ref_of
from krmfn.lua.script import FEATURES, PROVIDER, Script

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["FEATURES", "Limits", "Script", "find", "from_config", "load", "render"]


def render(
    script: Script, given: "dict[str, Any]", stage: "dict[str, Any]", limits: Limits = STANDARD
) -> "list[dict[str, Any]]":
    """Return what a script makes of one manifest at one stage.

    ``given`` is never changed. ``stage`` has ``name``, ``stableService``, ``canaryService``, ``matches``, ``neutral``,
    and may have ``weight``, ``headerModifier``, ``podMetadata``. The result holds the given object, edited, and/or new
    ones. Raises KrmfnError naming script, line and reason.
    """
    asked.check(stage, ref_of(given))
    for other in stage.get("beside") or ():
        _check_beside(other["manifest"])
    if script.shape == PROVIDER:
        return provide(script, given, stage, limits)
    from krmfn.lua.kruise import adapt

    return adapt(script, given, stage, limits)


def _check_beside(manifest: "dict[str, Any]") -> None:
    ref = ref_of(manifest)
    if script := find(ref.api_version.rpartition("/")[0], ref.kind):
        shape.check(script.reads, manifest, ref)
