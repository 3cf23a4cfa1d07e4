"""``krmfn test-lua``: scripts and cases in every layout, each case a line, each step that fails a diff.

fixtures/lua/kept      scripts whose cases hold
fixtures/lua/failing   one mistake a case; fixtures/lua/failing.txt is what is said of them
"""

import os
import pty
import re
import shutil
import subprocess

import pytest
from click.testing import CliRunner

from krmfn.cases import BARE, FAILED, KEPT, verdicts
from krmfn.cli.commands import commands
from tests.stories import ROOT

FIXTURES = ROOT / "fixtures" / "lua"
KEPT_CASES = """\
ok       example.com/Gate/cases/elsewhere.yaml: a gate that leads elsewhere is refused
ok       example.com/Gate/cases/weight.yaml: a gate is open as far as the weight says
ok       example.com/Route/testdata/rollout-v1alpha1.yaml: 1 step
ok       example.com/Route/testdata/rollout.yaml: 3 steps
ok       example.com/Route/testdata/routing.yml: 1 step
ok       trafficrouting_ingress/testdata/acme.yaml: 3 steps
no case  trafficrouting_ingress/idle.lua
6 cases: 6 ok, 0 failed; 1 script has no case
"""
ROUTE = "example.com/Route/testdata/rollout.yaml"
GATE = "example.com/Gate/cases/weight.yaml"


def run(*arguments):
    """Run the command in this process."""
    return CliRunner().invoke(commands, ["test-lua", *map(str, arguments)], prog_name="krmfn")


@pytest.fixture(name="scripts")
def _scripts(tmp_path):
    """A folder of one's own with all that holds."""
    return shutil.copytree(FIXTURES / "kept", tmp_path / "scripts")


def edit(path, old, new):
    """Change a file in one place."""
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))


def verdict(scripts, name):
    """How one case of a folder ends."""
    return next(found for found in verdicts(str(scripts)) if found.path == name)


def test_cases_that_hold():
    """Each case is a line, a script without one is named, and the exit code is 0."""
    done = run(FIXTURES / "kept")

    assert (0, KEPT_CASES, "") == (done.exit_code, done.stdout, done.stderr)


def test_cases_that_fail(golden):
    """Each step that is not as expected is a diff or a message, and the exit code is 1."""
    done = run(FIXTURES / "failing")

    assert (1, "") == (done.exit_code, done.stderr)
    golden(FIXTURES / "failing.txt", done.stdout)


@pytest.mark.parametrize("folder", ["trafficrouting_ingress", "example.com", "example.com/Route", "example.com/Gate"])
def test_a_part_of_a_folder(folder):
    """Any folder on the way to a script can be given."""
    done = run(FIXTURES / "kept" / folder)

    assert (0, KEPT_CASES.count(f"ok       {folder}/")) == (done.exit_code, done.stdout.count("ok  "))


def test_our_own_providers():
    """The providers that come with krmfn are run by the same command."""
    found = list(verdicts(str(ROOT / "lua" / "networking.k8s.io")))

    assert {KEPT} == {verdict.outcome for verdict in found}


@pytest.mark.parametrize("folder", [".", "absent", "file"])
def test_nothing_to_test(tmp_path, folder):
    """A folder without a script, none at all, and a file are mistakes on the command line."""
    (tmp_path / "file").write_text("")

    assert 2 == run(tmp_path / folder).exit_code


def test_scripts_without_any_case(tmp_path):
    """Where nothing was tried, nothing holds: scripts are named, and the exit code is 1."""
    (tmp_path / "trafficrouting_ingress").mkdir()
    (tmp_path / "trafficrouting_ingress" / "idle.lua").write_text("return {}")
    done = run(tmp_path)

    assert (1, "no case  trafficrouting_ingress/idle.lua\n0 cases: 0 ok, 0 failed; 1 script has no case\n") == (
        done.exit_code,
        done.stdout,
    )


@pytest.mark.parametrize(
    ("old", "new", "outcome"),
    [
        ("{name: another, annotations", "{annotations", KEPT),
        ("apiVersion: example.com/v1\n  kind: Route\n  metadata: {name: another", "metadata: {x: y", KEPT),
        ("    - {share: 95, service: shop}\n", "    - {share: 95.0, service: shop}\n", KEPT),
        ("{share: 95,", '{share: "95",', FAILED),
        ("{share: 95,", "{share: 94,", FAILED),
        ("{name: another, annotations: {", "{labels: {a: b}, annotations: {a: b, ", FAILED),
        ("    - {service: shop-canary, share: 5}\n", "", FAILED),
        ("    - {service: shop-canary, share: 5}\n", "    - {service: shop-canary, share: 5}\n    x: {}\n", FAILED),
    ],
)
def test_what_is_compared(scripts, old, new, outcome):
    """Spec, labels and annotations are compared, to the type of a value; names, versions and order are not."""
    edit(scripts / ROUTE, old, new)

    assert outcome == verdict(scripts, ROUTE).outcome


def test_pods_are_not_looked_at(scripts):
    """A case need not say how many pods a step has, and may say what no rollout could."""
    edit(scripts / ROUTE, "- replicas: 50%", "- replicas: 700")

    assert KEPT == verdict(scripts, ROUTE).outcome


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("rollout:", "trafficRouting: {}\nrollout:", "this one has 2"),
        ("rollout:", "role:", "this one has none"),
        ("original: &original", "other: &original", "original: is required"),
        ("expected:\n", "expected: []\nothers:\n", "expected: has no object"),
        ("- *original ", "- 5 ", "expected[2]: must be a mapping"),
        ("- *original ", "- {metadata: {labels: 5}} ", "expected[2].metadata.labels: must be a mapping"),
        ("metadata: {name: shop}\n  spec:\n    backends", "metadata: []\n  spec:\n    backends", "original.metadata"),
        ("- traffic: 5%", "- 5", "spec.strategy.canary.steps[0]"),
        ("        steps:", "        stages:", "spec.strategy.canary.steps: has no step"),
        ("      canary:", "      pigeon:", "has neither canary nor blueGreen"),
        ("  kind: Rollout", "  kind: Rollup", "is nothing that divides traffic"),
        ("        - service: shop\n", "        - services: shop\n", "trafficRoutings[0].service: is required"),
        ("  spec:\n    workloadRef", "  specs:\n    workloadRef", "spec: is required"),
        ("{name: shop}\n  spec:\n    workloadRef", "{name: [}\n  spec:\n    workloadRef", "line 5"),
    ],
)
def test_a_case_that_is_none(scripts, old, new, said):
    """What is wrong with a case is said with its place, and the other cases are run."""
    edit(scripts / ROUTE, old, new)
    found = verdict(scripts, ROUTE)

    assert (FAILED, "cannot be run") == (found.outcome, found.says)
    assert said in "\n".join(found.details)
    assert "6 cases: 5 ok, 1 failed" in run(scripts).stdout


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("promise: a", "promised: a", "unknown ['promised']"),
        ("given: {", "given: [] #", "given: must be a mapping"),
        ("expected:", "refused: x\nexpected:", "not refused"),
        ("expected:\n-", "field: spec\nstage2:\n-", "unknown ['stage2']"),
        ("expected:\n-", "field: spec\n#", "refused: is required"),
    ],
)
def test_a_providers_case_that_is_none(scripts, old, new, said):
    """What is wrong with a case of a provider is said as well."""
    edit(scripts / GATE, old, new)
    found = verdict(scripts, GATE)

    assert FAILED == found.outcome
    assert said in "\n".join(found.details)


@pytest.mark.parametrize(
    ("path", "source", "said"),
    [
        ("example.com/Route/trafficRouting.lua", "return 5", "not a table"),
        ("example.com/Route/trafficRouting.lua", "return (", "line 1"),
        (
            "example.com/Route/trafficRouting.lua",
            "while obj.stableWeight == 70 do end return obj.data",
            "more than|longer than",
        ),
        ("example.com/Route/trafficRouting.lua", "return io.open('x')", "line 1"),
        ("example.com/Gate/render.lua", "return {}", "must return"),
        ("example.com/Gate/render.lua", "return { supports = { 'flight' }, render = fail }", "supports flight"),
        ("trafficrouting_ingress/acme.lua", "return { a = 5 }", "use tostring"),
    ],
)
def test_a_script_that_is_broken(scripts, path, source, said):
    """A script that does not load, ends badly or never ends names itself and its line, and the others are run."""
    (scripts / path).write_text(source)
    done = run(scripts)

    assert 1 == done.exit_code
    assert re.search(said, done.stdout)
    assert path in done.stdout


def test_files_that_are_no_text(scripts):
    """A script or a case that is not UTF-8 fails by itself."""
    (scripts / "example.com/Route/trafficRouting.lua").write_bytes(b"\xff")
    (scripts / GATE).write_bytes(b"\xff")

    assert "6 cases: 2 ok, 4 failed" in run(scripts).stdout


def test_an_ingress_may_be_all_of_it(scripts):
    """Where the case of a class writes the spec of the canary's Ingress, it has to be right."""
    edit(scripts / "trafficrouting_ingress/testdata/acme.yaml", "{name: shop-canary, port", "{name: shop, port")
    found = verdict(scripts, "trafficrouting_ingress/testdata/acme.yaml")

    assert (FAILED, "not as expected at 1 of 3 steps") == (found.outcome, found.says)


def test_scripts_without_a_case_are_named(scripts):
    """In every layout a script without a case is named."""
    for folder in ("example.com/Gate/cases", "example.com/Route/testdata", "trafficrouting_ingress/testdata"):
        shutil.rmtree(scripts / folder)

    assert [
        "example.com/Gate/render.lua",
        "example.com/Route/trafficRouting.lua",
        "trafficrouting_ingress/acme.lua",
        "trafficrouting_ingress/idle.lua",
    ] == [found.path for found in verdicts(str(scripts)) if found.outcome == BARE]


def test_colours(environment):
    """On a terminal the verdicts and the diffs are coloured, and elsewhere they are not."""
    terminal, end = pty.openpty()
    command = ["krmfn", "test-lua", str(FIXTURES / "failing")]
    with subprocess.Popen(command, env={**environment, "TERM": "xterm"}, stdout=end):
        os.close(end)
        shown = b""
        while part := _read(terminal):
            shown += part
    os.close(terminal)

    assert b"\033[1;31mFAILED \033[0m  example.com" in shown
    assert b"\033[31m-    port: 80\033[0m" in shown
    assert "\033[" not in run(FIXTURES / "failing").stdout


def _read(terminal):
    try:
        return os.read(terminal, 65536)
    except OSError:
        return b""
