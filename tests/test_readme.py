"""The README does what it says: each of its bash blocks is run, in a fresh folder, with the real hosts."""

import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.stories import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = dict(re.findall(r"^### (.+?)\n.*?^```bash\n(.*?)^```", README, re.MULTILINE | re.DOTALL))


@pytest.mark.parametrize("heading", BLOCKS)
def test_a_release_by_the_readme(heading: str, tmp_path: Path, environment: Mapping[str, str], request) -> None:
    """Every command of the block succeeds, from the first step to the last."""
    for host in ("kpt", "kustomize"):
        if host in heading:
            request.getfixturevalue(host)
    shutil.copytree(ROOT / "kustomize-examples", tmp_path / "kustomize-examples")
    script = f"set -euo pipefail\n{BLOCKS[heading]}"
    ran = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_the_readme_has_the_three_ways() -> None:
    """None of the blocks was lost to a change of the headings."""
    assert list(BLOCKS) == ["With kpt, in place", "With kustomize", "By hand, with Git"]
