"""The harness itself, with ``cat`` as the function: what is found here is the host's own doing."""

import os
import shutil
from pathlib import Path

import pytest

from tests.hosts import cases, programs

PACKAGES = Path(__file__).parent / "packages"


@pytest.mark.parametrize("case", cases.find(PACKAGES), ids=lambda case: case.name)
def test_cases(case, tmp_path, environment, kpt, request):
    """A function that changes nothing leaves what kpt's own cases say it leaves, twice alike."""
    outcomes = [cases.execute(case, tmp_path / str(number), environment) for number in (1, 2)]
    if request.config.getoption("--bless"):
        cases.bless(case, outcomes[0])

    assert outcomes[0] == outcomes[1]
    assert cases.complaints(case, outcomes[0]) == []


@pytest.fixture(name="case")
def _case(tmp_path):
    """A new case whose config.yaml is still to be written."""
    case = tmp_path / "case"
    (case / ".expected").mkdir(parents=True)
    (case / ".krmignore").write_text(".expected\n")
    shutil.copy(PACKAGES / "cat-eval" / "app.yaml", case)
    return case


def test_complaints(case, tmp_path, environment, kpt):
    """A case that ends otherwise than expected is told in full: exit code, output, files and results."""
    said = "{testType: eval, execPath: cat, exitCode: 3, stdErr: x!, stdOut: y!}"
    (case / ".expected" / "config.yaml").write_text(said)
    (case / ".expected" / "results.yaml").write_text("none")
    complaints = cases.complaints(case, cases.execute(case, tmp_path / "run", environment))
    expected = ["exit code 0", "not in stdErr", "not in stdOut", "diff.patch would be", "results.yaml would be"]

    assert expected == [complaint.split(":")[0] for complaint in complaints]


def test_bless(case, tmp_path, environment, kpt):
    """Blessing a case makes it pass."""
    (case / ".expected" / "config.yaml").write_text("{testType: eval, execPath: cat}")
    cases.bless(case, cases.execute(case, tmp_path / "first", environment))

    assert cases.complaints(case, cases.execute(case, tmp_path / "second", environment)) == []


def test_kpt_is_idempotent(tmp_path, environment, kpt):
    """After one run of kpt its own formatting is done: a second run changes no byte."""
    package = programs.copied(PACKAGES / "cat-eval", tmp_path / "package", environment)
    first = programs.kpt_eval(package, "cat", environment=environment)
    once = programs.files(package)
    second = programs.kpt_eval(package, "cat", environment=environment)

    assert (0, 0) == (first.code, second.code)
    assert once == programs.files(package)


def nothing(folder: Path, environment):
    """Put a function on PATH that copies its input and leaves a file to show that it ran."""
    folder.mkdir()
    function = folder / "nothing-changed"
    function.write_text(f"#!/bin/sh\ntouch '{folder}/ran'\nexec cat\n")
    function.chmod(0o755)
    return {**environment, "PATH": f"{folder}{os.pathsep}{environment['PATH']}"}


def test_kustomize_runs_functions(tmp_path, environment, kustomize):
    """Standalone kustomize runs an exec function that is named by a bare name on PATH."""
    ran = programs.kustomize_build(PACKAGES / "built", environment=nothing(tmp_path / "bin", environment))

    assert 0 == ran.code, ran.err
    assert (tmp_path / "bin" / "ran").exists()
    assert "replicas: 3" in ran.out


def test_kubectl_skips_functions(tmp_path, environment, kubectl):
    """The kustomize in kubectl skips an exec function and says nothing, which is why ours leaves a mark."""
    places = nothing(tmp_path / "bin", environment)
    ran = programs.kubectl_kustomize(PACKAGES / "built", "--enable-alpha-plugins", environment=places)

    assert (0, "") == (ran.code, ran.err)
    assert not (tmp_path / "bin" / "ran").exists()


def test_helm_versions(environment, helm3, helm4, tmp_path):
    """Each helm is the major version that its name says."""
    versions = [
        programs.run([helm, "version", "--short"], cwd=tmp_path, environment=environment) for helm in (helm3, helm4)
    ]

    assert ["v3", "v4"] == [version.out[:2] for version in versions]
