"""What a command was given: the package, the request (the package's own, with the options on top), what runs now."""

import sys

from krmfn import config as configs
from krmfn import folder, git, krm
from krmfn.cli.overlaid import refuse_overlay
from krmfn.config import Config
from krmfn.errors import KrmfnError, NotYaml
from krmfn.frozen import Value
from krmfn.patches import image

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from krmfn.krm import Package

STDIN = "-"
# What a chart's template has, and hardly any manifest that is no YAML either.
TEMPLATED = b"{{"


class Given(Value):
    """Everything that a rendering needs."""

    path: str
    package: "Package"
    config: Config
    stable: "Package | None" = None


def given(path: str, options: "Mapping[str, Any]") -> Given:
    """Read what the arguments name. Raises KrmfnError where there is no such thing, or it cannot be read."""
    package = _package(path)
    if path != STDIN:
        refuse_overlay(path, package)
    return Given(path, package, requested(package, options), _stable(path, options.get("stable") or ""))


def requested(package: "Package", options: "Mapping[str, Any]") -> Config:
    """Return the request that the package itself holds, with the options on top."""
    return _with_options(_default(package, options.get("rollout") or ""), options)


def _package(path: str) -> "Package":
    if path == STDIN:
        return krm.read(sys.stdin.buffer.read())
    files = folder.read(path)
    try:
        return krm.read_files(files)
    except NotYaml as problem:
        if TEMPLATED in dict(files).get(problem.file, b""):
            problem.message += "; a template of a chart is rendered first: helm template NAME CHART | krmfn … -"
        elif len(files) > 1:
            problem.message += "; where this is no manifest, name the file in .krmignore"
        raise


def _stable(path: str, wanted: str) -> "Package | None":
    """Read the manifests of what runs now: of a path, or of the same path at a revision of Git."""
    if not wanted:
        return None
    if wanted == path == STDIN:
        raise KrmfnError("--stable -: standard input holds the package already; give a path for one of them")
    if not wanted.startswith(git.SCHEME):
        return _package(wanted)
    if path == STDIN:
        raise KrmfnError(f"--stable {wanted}: standard input has no history; give a path to render")
    return krm.read_files(git.read(path, wanted.removeprefix(git.SCHEME)))


def _default(package: "Package", rollout: str) -> Config:
    """Return the request that the package itself holds: the config of a ResourceList, or its only RolloutStep."""
    if package.config:
        return configs.parse(package.config)
    steps = [item for item in package.find(configs.KIND, configs.API_VERSION) if item.ref.kind == configs.KIND]
    found = [configs.parse(item.value) for item in steps]
    found = [config for config in found if not (rollout and config.rollout) or _same(config.rollout, rollout)]
    if len(found) > 1:
        names = ", ".join(f"{item.ref.name} ({item.path})" for item in steps)
        raise KrmfnError(f"the package has several objects of kind {configs.KIND}: {names}; say which with --rollout")
    return found[0] if found else Config()


def _same(one: str, other: str) -> bool:
    """Tell whether two names can mean one rollout: where only one of them has a namespace, the other may have it."""
    return one == other or one.endswith(f"/{other}") or other.endswith(f"/{one}")


def _with_options(config: Config, options: "Mapping[str, Any]") -> Config:
    """Let each option that was given win over the field of its name."""
    names = ("rollout", "step", "isolation", "replicas", "retarget", "adopted", "ordering")
    wins = {name: options[name] for name in names if options.get(name) not in (None, "", False)}
    if images := options.get("image"):
        wins["target"] = config.target.replace(images=tuple(image(text) for text in images))
    return config.replace(**wins)
