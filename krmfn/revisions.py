"""The two revisions of a workload: where the stable template and the target template come from.

The state, else the function config (``target:`` or ``stable:``) or whole manifests, else neither. What people change in
the workload's template while a release is under way goes into the target.
"""

from krmfn import patches
from krmfn.changes import Change, apply, at, diff, overlap, steps
from krmfn.config import Config
from krmfn.errors import KrmfnError
from krmfn.frozen import Value
from krmfn.krm import dump, load, retext, same
from krmfn.plan import COMPLETE, Plan, done
from krmfn.scene import stands
from krmfn.stage import STABLE
from krmfn.stamp import stamped
from krmfn.state import Release, digest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from krmfn.krm import Item
    from krmfn.krm.item import Manifest

TEMPLATE = ("spec", "template")
# By these a patch says which object it is for.
NAMES = ("apiVersion", "kind", "metadata.name")
WITHIN_STEP_ONE = ("0", "0>1/scale", "0>1/shift", "1")


class Revisions(Value):
    """Both pod templates as YAML text.

    ``target`` is "" where there is nothing to release. ``new`` says that it is not the one the position was set for;
    ``asked`` is the digest of the overrides that are in it.
    """

    stable: str
    target: str = ""
    new: bool = False
    asked: str = ""

    @property
    def differ(self) -> bool:
        """Tell whether there are two different revisions."""
        if "_differ" not in self.__dict__:  # it is asked at the beginning and at the end of a run
            self.__dict__["_differ"] = bool(self.target) and not same(load(self.stable), load(self.target))
        return bool(self.__dict__["_differ"])


class Found(Value):
    """What the revisions are settled from: the workload as it stands, its state, the changes made to the canary.

    ``made`` says that the workload is made from the rollout, and so never carries anything but the newest version.
    """

    plan: Plan
    workload: "Item"
    release: Release | None
    canary_changes: "Sequence[Change]" = ()
    stable: "Item | None" = None
    made: bool = False


def settle(found: Found, config: Config) -> Revisions:
    """Return both revisions. Raises KrmfnError when a change contradicts another one."""
    text = found.workload.excerpt(TEMPLATE)
    if found.release and not found.made:
        return _from_state(found, found.release, config, text)
    target, asked = text, ""
    if config.target:
        target, asked = retext(text, _overridden(config.target, found, load(text))), _asked(config)
    if found.release:
        return _beside(found.release, target, asked)
    if config.stable:
        return Revisions(retext(text, _overridden(config.stable, found, load(text))), target, new=True, asked=asked)
    if found.stable:
        return Revisions(found.stable.excerpt(TEMPLATE), target, new=True, asked=asked)
    return Revisions(text, target, new=True, asked=asked) if config.target else Revisions(text)


def check(found: Found, revisions: Revisions, position: str, *, retarget: bool) -> None:
    """Refuse a position that a target was not set for, and one that needs a second revision where there is none."""
    plan, release = found.plan, found.release
    if position in ("0", COMPLETE) and not revisions.target:
        return
    if not revisions.differ and position not in ("0", COMPLETE):
        raise KrmfnError(_nothing_to_release(found, revisions), ref=plan.workload, file=found.workload.path)
    if not (release and revisions.new and revisions.differ) or retarget or position in WITHIN_STEP_ONE:
        return
    message = (
        f"the pod template has changed ({_summary(release, revisions)}) and position {position} was set for another "
        f"version; {_begin(release)}, or say `retarget: true` to let it take this position over"
    )
    raise KrmfnError(message, ref=plan.workload, field="spec.template", file=found.workload.path)


def _begin(release: Release) -> str:
    """Say how the next version is started: from promote on the stable side has no pods of the old one."""
    start = release.position.partition(">")[0]
    if done(start) and start != COMPLETE:
        return "take that back until this one is complete or withdrawn, and then start the new one"
    return "start the new one with step 0 or 1/scale"


def _beside(release: Release, target: str, asked: str) -> Revisions:
    """Return the revisions of a workload that is made: what it is now is the target, whatever was rendered before."""
    known = release.target or release.stable
    new = not same(load(target), load(known))
    return Revisions(release.stable, target if new else release.target, new, asked)


def _from_state(found: Found, release: Release, config: Config, text: str) -> Revisions:
    shown = release.stable if release.shows == STABLE else release.target
    wrote = stamped(load(shown), release.mode, release.key, found.workload.ref.name)
    now = load(text)
    if same(now, wrote):
        kept = shown if stands(found.workload, TEMPLATE, retext(shown, wrote)) else retext(text, load(shown))
        release = release.replace(**{release.shows: kept})
        theirs: list[Change] = []
    else:
        theirs = list(diff(wrote, now))
    theirs = _joined(found, theirs)
    base = release.target or release.stable
    target = release.target
    if theirs:
        wanted = apply(theirs, load(base))
        fresh = not release.target and not found.canary_changes
        typed = {} if fresh else _typed(found.workload, theirs, wanted)
        target = retext(text if fresh else base, wanted, typed)
    asked, target = _with_overrides(found, release, config, target, theirs)
    if target and same(load(target), load(release.stable)) and not release.target:
        target = ""
    new = bool(target) and not (release.target and same(load(target), load(release.target)))
    return Revisions(release.stable, target, new, asked)


def _typed(workload: "Item", theirs: "Sequence[Change]", wanted: "Any") -> "dict[tuple[str | int, ...], str]":
    """Return what people typed into the workload, as they typed it, by its place in the wanted template."""
    now = at(workload.value, TEMPLATE)
    return {
        steps(wanted, change.path): workload.excerpt((*TEMPLATE, *steps(now, change.path)))
        for change in theirs
        if isinstance(change.value, dict | list) and same(at(now, change.path), change.value)
    }


def _with_overrides(
    found: Found, release: Release, config: Config, target: str, theirs: list[Change]
) -> tuple[str, str]:
    """Put the overrides of the function config into the target, once for each wording of them."""
    asked = _asked(config)
    if not config.target or asked == release.asked:
        return release.asked, target
    base = target or release.stable
    wanted = _overridden(config.target, found, load(base))
    for change in theirs:
        if any(overlap(change, other) for other in diff(load(base), wanted)):
            message = f"was changed by hand to {change.value!r}, and `target` of the function config says otherwise"
            field = f"spec.template.{change.field}"
            raise KrmfnError(message, ref=found.plan.workload, field=field, file=found.workload.path)
    return asked, retext(base, wanted)


def _joined(found: Found, theirs: list[Change]) -> list[Change]:
    """Join what was changed in the workload and in the canary. Raises KrmfnError where they disagree."""
    joined = list(theirs)
    for change in found.canary_changes:
        clash = next((own for own in theirs if overlap(own, change)), None)
        if clash is None:
            joined.append(change)
        elif clash.path != change.path or not same(clash.value, change.value):
            message = (
                f"was changed to {clash.value!r} here and to {change.value!r} in the canary; "
                "make the same change in both, or in the workload alone"
            )
            field = f"spec.template.{clash.field}"
            raise KrmfnError(message, ref=found.plan.workload, field=field, file=found.workload.path)
    return joined


def _overridden(overrides: patches.Overrides, found: Found, template: "Manifest") -> "Manifest":
    workload = found.workload.value
    whole = workload | {"spec": workload["spec"] | {"template": template}}
    try:
        result: Any = patches.apply(overrides, whole, found.workload.ref)
    except KrmfnError as problem:
        raise KrmfnError(problem.message, ref=found.plan.workload, field=problem.field) from problem
    for change in diff(whole, result):
        if change.path[:2] != TEMPLATE and change.field not in NAMES:
            message = "is changed by the patches of the function config, which may change the pod template only"
            raise KrmfnError(f"{message}; change it in the workload", ref=found.plan.workload, field=change.field)
    changed: Manifest = result["spec"]["template"]
    return changed


def _asked(config: Config) -> str:
    return digest(dump([repr(config.target.images), list(config.target.patches)])) if config.target else ""


def _nothing_to_release(found: Found, revisions: Revisions) -> str:
    ways = (
        "give the new version as `target:` in the function config (or --image NAME=REF), or say what runs now with "
        "`stable:` (or --stable PATH, --stable git:REV)"
    )
    if revisions.target:
        return f"the stable and the target pod template are the same, so there is nothing to release; {ways}"
    if found.release:
        return f"no release is under way; edit the pod template of the workload to start one, or {ways}"
    return (
        f"the package holds one revision of the workload, and this position needs two; {ways}; or, where the host "
        "keeps files, render step 0 first and then edit the workload"
    )


def _summary(release: Release, revisions: Revisions) -> str:
    changes = list(diff(load(release.target or release.stable), load(revisions.target)))
    return ", ".join(change.field for change in changes[:3]) + (" …" if changes[3:] else "")
