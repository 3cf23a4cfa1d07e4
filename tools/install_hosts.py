"""Put the programs that run KRM functions into one folder: kustomize, kpt, helm 3 and helm 4.

    python3 tools/install_hosts.py .hosts/bin

What the machine has is linked where its version will do; the rest is built by ``go install`` from a pinned module.
Nothing here fails a run: a program that can be neither found nor built is named, its tests are skipped, and CI fails
on the skip. Only the standard library is used, since this runs before anything is installed.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple


class Host(NamedTuple):
    """A program: what it is called in our folder and elsewhere, which versions will do, and what builds it.

    ``least`` and ``below`` bound the version as (major, minor, patch, beta); a release counts as beta 9999.
    """

    name: str
    program: str
    asks: tuple[str, ...]
    least: tuple[int, ...]
    below: tuple[int, ...]
    module: str


RELEASE = 9999

HOSTS = (
    # From 5.8 an exec function runs where kustomize was called, not in the base that was loaded last.
    Host("kustomize", "kustomize", ("version",), (5, 8), (6,), "sigs.k8s.io/kustomize/kustomize/v5@v5.8.1"),
    # From beta.62 kpt writes what a render printed into the Kptfile, which the golden files do not have.
    Host("kpt", "kpt", ("version",), (1, 0, 0, 56), (1, 0, 0, 62), "github.com/kptdev/kpt@v1.0.0-beta.61"),
    Host("helm3", "helm", ("version", "--short"), (3, 14), (4,), "helm.sh/helm/v3/cmd/helm@v3.21.4"),
    Host("helm4", "helm", ("version", "--short"), (4,), (5,), "helm.sh/helm/v4/cmd/helm@v4.2.4"),
)

BUILD_MINUTES = 12


def version(program: Path, asks: tuple[str, ...]) -> tuple[int, ...]:
    """Ask ``program`` for its version; () where it has no answer."""
    try:
        answer = subprocess.run([program, *asks], capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ()
    found = re.search(r"(\d+)\.(\d+)(?:\.(\d+))?(?:-beta\.(\d+))?", answer.stdout)
    if answer.returncode or not found:
        return ()
    major, minor, patch, beta = found.groups()
    return (int(major), int(minor), int(patch or 0), int(beta or RELEASE))


def accepts(host: Host, program: Path) -> bool:
    """Tell whether ``program`` is a version that will do."""
    return host.least <= version(program, host.asks) < host.below


def on_machine(host: Host, folder: Path) -> Path | None:
    """Find an acceptable program on PATH, by either name, outside ``folder``."""
    for place in os.get_exec_path():
        for name in (host.name, host.program):
            program = Path(place, name)
            outside = program.parent.resolve() != folder
            if outside and os.access(program, os.X_OK) and program.is_file() and accepts(host, program):
                return program
    return None


def link(program: Path, target: Path) -> None:
    """Make ``target`` a link to ``program``, whatever was there."""
    target.unlink(missing_ok=True)
    target.symlink_to(program)


def build(host: Host, target: Path) -> str:
    """Build the pinned module into ``target`` and return what went wrong, "" if nothing did."""
    go = shutil.which("go")
    if not go:
        return "not on this machine, and there is no go to build it with"
    with tempfile.TemporaryDirectory() as scratch:
        command = [go, "install", host.module]
        environment = os.environ | {"GOBIN": scratch}
        try:
            done = subprocess.run(
                command, env=environment, capture_output=True, text=True, timeout=BUILD_MINUTES * 60, check=False
            )
        except subprocess.TimeoutExpired:
            return f"go install took more than {BUILD_MINUTES} minutes"
        built = Path(scratch, host.program)
        if done.returncode or not built.exists():
            return (done.stderr.strip().splitlines() or ["go install failed"])[-1]
        target.unlink(missing_ok=True)
        shutil.move(built, target)
    return ""


def install(host: Host, folder: Path) -> str:
    """Make sure of one program in ``folder`` and return the line that says how."""
    target = folder / host.name
    if accepts(host, target):
        return f"{host.name:10} is there"
    found = on_machine(host, folder)
    if found:
        link(found, target)
        return f"{host.name:10} linked to {found}"
    trouble = build(host, target)
    return f"{host.name:10} MISSING: {trouble}" if trouble else f"{host.name:10} built from {host.module}"


def main(folder: str) -> None:
    """Install every host into ``folder`` and say what was done for each."""
    place = Path(folder).resolve()
    place.mkdir(parents=True, exist_ok=True)
    for host in HOSTS:
        print(install(host, place), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
