"""The tools that decide what CI says."""

import stat

import pytest

from tests.conftest import MISSING
from tools import install_hosts, verdict

REPORT = "<testsuites><testsuite>{}</testsuite></testsuites>"
PASSED = "<testcase/>"
FAILED = "<testcase><failure/></testcase>"
SKIPPED = '<testcase><skipped message="not on this system"/></testcase>'
HOSTLESS = f'<testcase><skipped message="{MISSING}kpt"/></testcase>'


@pytest.mark.parametrize(
    ("cases", "code", "line"),
    [
        (PASSED * 2 + SKIPPED, 0, "2 passed, 0 failed, 1 skipped"),
        (PASSED + HOSTLESS, 1, "1 passed, 0 failed, 1 skipped"),
        (PASSED + FAILED, 1, "1 passed, 1 failed, 0 skipped"),
        ("", 1, "0 passed, 0 failed, 0 skipped"),
    ],
)
def test_verdict(cases, code, line, tmp_path, capsys):
    """CI fails on a failure, on a missing host and on an empty run, and its last line counts the tests."""
    report = tmp_path / "junit.xml"
    report.write_text(REPORT.format(cases))

    assert verdict.main(str(report)) == code
    assert capsys.readouterr().out == line + "\n"


def test_verdict_names_what_is_missing(tmp_path, capsys):
    """A missing host is named."""
    report = tmp_path / "junit.xml"
    report.write_text(REPORT.format(HOSTLESS))
    verdict.main(str(report))

    assert capsys.readouterr().err == "tests were skipped because these hosts are missing: kpt\n"


def program(path, answer):
    """Write a program that prints ``answer``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{answer}'\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@pytest.mark.parametrize(
    ("answer", "version"),
    [
        ("1.0.0-beta.56", (1, 0, 0, 56)),
        ("v5.8.1", (5, 8, 1, install_hosts.RELEASE)),
        ("v3.21", (3, 21, 0, install_hosts.RELEASE)),
        ("v4.2.4+g1234567", (4, 2, 4, install_hosts.RELEASE)),
        ("(devel)", ()),
    ],
)
def test_version(answer, version, tmp_path):
    """A host's version is read from whatever way it has of saying it."""
    assert install_hosts.version(program(tmp_path / "host", answer), ()) == version


def test_version_of_nothing(tmp_path):
    """A program that is not there has no version."""
    assert install_hosts.version(tmp_path / "host", ()) == ()


@pytest.fixture(name="helm3")
def _helm3():
    """The row of helm 3."""
    (host,) = (host for host in install_hosts.HOSTS if host.name == "helm3")
    return host


def test_machine_is_preferred(helm3, tmp_path, monkeypatch):
    """A host that is on the machine is linked where its version will do, and passed over where it will not."""
    program(tmp_path / "old" / "helm", "v2.17.0")
    good = program(tmp_path / "good" / "helm", "v3.18.0")
    monkeypatch.setenv("PATH", f"{tmp_path / 'old'}:{tmp_path / 'good'}")
    (tmp_path / "hosts").mkdir()

    assert install_hosts.install(helm3, tmp_path / "hosts") == f"helm3      linked to {good}"
    assert install_hosts.install(helm3, tmp_path / "hosts") == "helm3      is there"


def test_missing_is_said(helm3, tmp_path, monkeypatch):
    """A host that can be neither found nor built is named, and nothing else goes wrong."""
    monkeypatch.setenv("PATH", str(tmp_path))

    line = "helm3      MISSING: not on this machine, and there is no go to build it with"
    assert install_hosts.install(helm3, tmp_path / "hosts") == line
