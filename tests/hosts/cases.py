"""Cases in the form of kpt's own end-to-end harness: a package with a folder ``.expected``.

What is there says what is checked: ``config.yaml`` (``testType``, ``exitCode``, ``stdErr``, ``stdOut``, ``skip``,
``args``, ``execPath``), ``diff.patch`` (what ``git diff`` shows afterwards, to the byte), ``results.yaml`` (to the
byte), ``exec.sh`` (run instead of the command; writes results to ``../results``). As there, a case runs on a copy.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from tests.hosts.programs import Ran, changes, copied, run


class Outcome(NamedTuple):
    """What came of a case, in the words of ``.expected``."""

    ran: Ran
    diff: str
    results: str


def find(folder: Path) -> list[Path]:
    """Return every case below ``folder``, in order."""
    return sorted(path.parent for path in folder.rglob(".expected") if path.is_dir())


def config(case: Path) -> dict[str, Any]:
    """Read ``config.yaml``; a case without one is a plain ``kpt fn render``."""
    path = case / ".expected" / "config.yaml"
    return (yaml.safe_load(path.read_text()) if path.exists() else None) or {}


def command(case: Path, results: Path) -> list[str]:
    """Return what is to be run in the copy of the package."""
    said = config(case)
    script = case / ".expected" / "exec.sh"
    if script.exists():
        return ["bash", str(script.resolve())]
    if said.get("testType") == "eval":
        args = [f"{key}={value}" for key, value in (said.get("args") or {}).items()]
        exec_path = said["execPath"]
        return ["kpt", "fn", "eval", ".", "--results-dir", str(results), "--exec", exec_path, "--", *args]
    allowed = ["--allow-exec"] if said.get("allowExec") else []
    return ["kpt", "fn", "render", "--results-dir", str(results), *allowed]


def execute(case: Path, scratch: Path, environment: Mapping[str, str]) -> Outcome:
    """Run ``case`` on a copy of it in ``scratch``, which must not exist."""
    scratch.mkdir(parents=True)
    package = copied(case, scratch / case.name, environment)
    results = scratch / "results"
    ran = run(command(case, results), cwd=package, environment=environment)
    written = results / "results.yaml"
    err = re.sub(r'(?m)^(\[(?:PASS|FAIL)\] ".*" in )[0-9.]+m?s$', r"\g<1>0s", ran.err)
    timeless = Ran(ran.code, ran.out.replace(str(scratch), ".."), err.replace(str(scratch), ".."))
    return Outcome(timeless, changes(package, environment), written.read_text() if written.exists() else "")


def complaints(case: Path, outcome: Outcome) -> list[str]:
    """Say what is not as ``.expected`` has it; nothing if all is well."""
    said, expected = config(case), case / ".expected"
    wrong = []
    if outcome.ran.code != said.get("exitCode", 0):
        wrong.append(f"exit code {outcome.ran.code}: {outcome.ran.err}")
    for name, printed in (("stdErr", outcome.ran.err), ("stdOut", outcome.ran.out)):
        if said.get(name, "") not in printed:
            wrong.append(f"not in {name}: {said[name]!r}: {printed}")
    for name, actual in (("diff.patch", outcome.diff), ("results.yaml", outcome.results)):
        path = expected / name
        wanted = path.read_text() if path.exists() else ""
        if (path.exists() or name == "diff.patch") and wanted.strip() != actual.strip():
            wrong.append(f"{name} would be:\n{actual}")
    return wrong


def bless(case: Path, outcome: Outcome) -> None:
    """Write what came of a case as what is expected of it."""
    for name, actual in (("diff.patch", outcome.diff), ("results.yaml", outcome.results)):
        path = case / ".expected" / name
        path.unlink(missing_ok=True)
        if actual:
            path.write_text(actual)
