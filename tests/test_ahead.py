"""The next commit as a diff, beside the plan."""

import pytest
from click.testing import CliRunner

from krmfn.cli.commands import commands
from krmfn.report import ahead
from tests.echoserver import NEW, STEP, write


def run(*arguments):
    """Run a command in this process."""
    return CliRunner().invoke(commands, [str(a) for a in arguments], prog_name="krmfn")


@pytest.fixture(name="shop")
def _shop(tmp_path):
    """The package in a folder."""
    return write(tmp_path / "shop")


def test_the_diff_is_that_of_the_next_commit(shop):
    """Behind the table stands what `krmfn diff` says of the position where the package stands and the one after it."""
    write(shop, step__yaml=STEP)
    done = run("plan", shop, "--diff")

    assert 0 == done.exit_code
    assert done.stdout.endswith("\n\n" + run("diff", shop, "1", "1>2/scale").stdout)


def test_a_release_that_has_not_begun_begins(shop):
    """Where nobody has said a position, the next commit is the first one."""
    found = run("plan", shop, "--image", NEW, "--diff", "-o", "markdown").stdout

    assert "<summary>What the next commit changes: 0 → 0>1/scale</summary>" in found


@pytest.mark.parametrize("step", ["complete", "2>0/drain"])
def test_where_nothing_comes_next_there_is_no_diff(shop, step):
    """At the end, and on the way back, the plan stands alone."""
    write(shop, step__yaml=STEP.replace("step: 1", f'step: "{step}"'))
    plain, more = (run("plan", shop, "-o", "markdown", *options).stdout for options in ((), ("--diff",)))

    assert plain == more.rstrip("\n") + "\n"
    assert "@@" not in run("plan", shop, "--diff").stdout


def test_without_a_second_revision_there_is_no_diff(shop):
    """What is not known is not shown."""
    assert "<details>" not in run("plan", shop, "-o", "markdown", "--diff").stdout


def test_a_long_diff_fits_into_a_comment(shop, monkeypatch):
    """A diff that is too long ends with a word on where the rest is, and the fence is closed."""
    monkeypatch.setattr(ahead, "MOST", 200)
    found = run("plan", shop, "--image", NEW, "--diff", "-o", "markdown").stdout

    assert found.rstrip().endswith("… and more: krmfn diff shows all of it\n````\n\n</details>")


def test_json_has_the_changes_already(shop):
    """For programs every commit has its changes, so --diff is refused."""
    assert 2 == run("plan", shop, "-o", "json", "--diff").exit_code
