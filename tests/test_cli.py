"""The command line, through click's runner, and as a process where that is what matters."""

import os
import pty
import subprocess
import sys

import pytest
import yaml
from click.testing import CliRunner

from krmfn import __version__
from krmfn.cli import main
from krmfn.cli.commands import commands
from tests.echoserver import APP, KUSTOMIZATION, NEW, ROLLOUT, STEP, contents, write

ASKED = ("--image", NEW)
NAMES = [
    "Deployment echo",
    "Deployment echo-canary",
    "Service echo",
    "Service echo-canary",
    "Ingress echo",
    "Ingress echo-canary",
]


def run(*arguments, given=None):
    """Run a command in this process."""
    return CliRunner().invoke(commands, [str(a) for a in arguments], input=given, prog_name="krmfn")


def objects(text):
    """Name the objects of a stream."""
    return [f"{o['kind']} {o['metadata']['name']}" for o in yaml.safe_load_all(text)]


@pytest.fixture(name="shop")
def _shop(tmp_path):
    """The package in a folder."""
    return write(tmp_path / "shop")


def test_render_writes_what_a_cluster_is_to_have(shop):
    """The manifests of a position go to standard output, without rollout and state, and findings to standard error."""
    done = run("render", shop, "--step", "1", *ASKED)

    assert (0, NAMES) == (done.exit_code, objects(done.stdout))
    assert done.stderr.startswith("info: Rollout demo/echo: step 1 of 2")
    assert "replicas: 5 # enough for a Monday" in done.stdout


def test_render_leaves_out_what_is_for_tools(shop):
    """A RolloutStep, a kustomization and what is marked as local configuration never reach a cluster."""
    local = "kind: X\napiVersion: v1\nmetadata: {name: x, annotations: {config.kubernetes.io/local-config: 'true'}}\n"
    full = "kind: Kustomization\napiVersion: kustomize.config.k8s.io/v1beta1\n"
    write(
        shop,
        step__yaml=STEP,
        kustomization__yaml=KUSTOMIZATION,
        full__yaml=full,
        local__yaml=local,
        remark__yaml="# -\n",
    )

    done = run("render", shop)
    into = run("render", shop, "-o", shop.parent / "out")

    assert (0, NAMES) == (done.exit_code, objects(done.stdout))
    assert (0, {".krmfn", "app.yaml", "app-canary.yaml"}) == (into.exit_code, {*contents(shop.parent / "out")})


def test_a_single_file_and_standard_input_are_packages(shop):
    """A file, a stream and a ResourceList on standard input are rendered alike."""
    both = f"{APP}---\n{ROLLOUT}"
    (shop / "all.yaml").write_text(both)
    items = list(yaml.safe_load_all(both))
    wrapped = yaml.safe_dump({"apiVersion": "config.kubernetes.io/v1", "kind": "ResourceList", "items": items})
    configured = yaml.safe_dump(yaml.safe_load(wrapped) | {"functionConfig": yaml.safe_load(STEP)})

    file = run("render", shop / "all.yaml", "--step", 1, *ASKED)
    stream = run("render", "-", "--step", 1, *ASKED, given=both)
    wire = run("render", "-", "--step", 1, *ASKED, given=wrapped)
    config = run("render", "-", given=configured)

    assert NAMES == objects(file.stdout)
    assert file.stdout == stream.stdout
    assert (
        [*yaml.safe_load_all(file.stdout)] == [*yaml.safe_load_all(wire.stdout)] == [*yaml.safe_load_all(config.stdout)]
    )


def test_the_package_says_the_defaults_and_options_win(shop):
    """A RolloutStep in the package is the request, and each option replaces the field of its name."""
    write(shop, step__yaml=STEP)

    default = run("render", shop)
    step = run("render", shop, "--step", "2")
    image = run("render", shop, "--image", "example.com/echo=example.com/echo:9")

    assert 'canary-weight: "5"' in default.stdout
    assert "echo:1.1" in default.stdout
    assert 'canary-weight: "50"' in step.stdout
    assert "echo:1.1" in step.stdout
    assert 'canary-weight: "5"' in image.stdout
    assert "echo:9" in image.stdout


def two(shop):
    """Make it a package of two rollouts, each with a RolloutStep of its own."""
    write(
        shop,
        app2__yaml=APP.replace("echo", "cart"),
        rollout2__yaml=ROLLOUT.replace("echo", "cart"),
        step__yaml=STEP.replace("spec:", "spec:\n  rollout: echo"),
        step2__yaml=STEP.replace("spec:", "spec:\n  rollout: cart").replace("echo", "cart"),
    )


def test_two_requests_in_a_package_are_told_apart(shop):
    """Where the package has several RolloutSteps, --rollout says which one is meant, and leaving it out is an error."""
    two(shop)

    either = run("render", shop)
    cart = run("render", shop, "--rollout", "cart")

    assert cart.stdout == run("render", shop, "--rollout", "demo/cart").stdout
    assert (1, "") == (either.exit_code, either.stdout)
    assert "several objects of kind RolloutStep" in either.stderr
    assert "say which with --rollout" in either.stderr
    assert "Deployment cart-canary" in objects(cart.stdout)
    assert "Deployment echo-canary" not in objects(cart.stdout)


def test_output_keeps_the_names_of_files_and_removes_what_no_longer_belongs(shop):
    """Files are named as they came; those of a canary that was given up are removed, and nobody else's."""
    out = shop.parent / "out"
    assert 0 == run("render", shop, "--step", 1, *ASKED, "-o", out).exit_code
    assert {".krmfn", "app.yaml", "app-canary.yaml"} == {*contents(out)}
    (out / "notes.yaml").write_text("mine")

    assert 0 == run("render", shop, "--step", "0", *ASKED, "-o", out).exit_code

    assert {".krmfn", "app.yaml", "notes.yaml"} == {*contents(out)}
    assert APP == contents(out)["app.yaml"]


def test_output_of_standard_input_is_one_file(shop):
    """What came in as a stream has no file names and goes into one file."""
    out = shop.parent / "out"

    run("render", "-", "--step", 1, *ASKED, "-o", out, given=f"{APP}---\n{ROLLOUT}")

    assert NAMES == objects(contents(out)["manifests.yaml"])


def test_output_is_one_object_a_file_on_request(shop):
    """With --one-per-file each object has a file of its own, named after it."""
    out = shop.parent / "out"

    assert 0 == run("render", shop, "--step", 1, *ASKED, "-o", out, "--one-per-file").exit_code

    expected = {f"demo/{name.lower().replace(' ', '-')}.yaml" for name in NAMES}
    assert {".krmfn", *expected} == {*contents(out)}


def test_nothing_is_written_when_anything_fails(shop):
    """An error leaves every file as it was, writes nothing to standard output and ends with 1."""
    out = shop.parent / "out"
    before = contents(shop)

    for options in ((), ("-o", out), ("--in-place",)):
        done = run("render", shop, "--step", "promot", *ASKED, *options)
        assert (1, "") == (done.exit_code, done.stdout)
        assert "did you mean promote?" in done.stderr

    assert before == contents(shop)
    assert not out.exists()


def test_a_package_without_anything_to_apply_is_an_error(shop):
    """Where nothing is left to write, that is said instead of writing nothing."""
    (shop / "app.yaml").write_text(
        APP.replace(
            "  namespace: demo\n", "  namespace: demo\n  annotations: {config.kubernetes.io/local-config: 'true'}\n"
        )
    )

    done = run("render", shop, "--step", "0")

    assert (1, "") == (done.exit_code, done.stdout)
    assert "nothing is left to write" in done.stderr


def test_in_place_keeps_the_rollout_and_a_state(shop):
    """In place, the rollout stays, a state appears, and only files that change are touched."""
    write(shop, other__yaml="kind: A\napiVersion: v1\nmetadata: {name: a}\n")
    written = os.stat(shop / "other.yaml").st_mtime_ns, os.stat(shop / "app.yaml").st_mtime_ns

    done = run("render", shop, "--step", "1", *ASKED, "--in-place")

    assert (0, "") == (done.exit_code, done.stdout)
    assert {"app.yaml", "app-canary.yaml", "krmfn-state.yaml", "other.yaml", "rollout.yaml"} == {*contents(shop)}
    assert written == (os.stat(shop / "other.yaml").st_mtime_ns, os.stat(shop / "app.yaml").st_mtime_ns)


def test_in_place_comes_back_to_where_it_was(shop):
    """Going to a step and back to 0 leaves the files that were there at 0, and removes those of the canary."""
    run("render", shop, "--step", "0", "--in-place")
    before = contents(shop)
    run("render", shop, "--step", "1", *ASKED, "--in-place")
    assert contents(shop) != before

    run("render", shop, "--step", "0", "--in-place")

    after = contents(shop)
    state = "krmfn-state.yaml"
    assert {k: v for k, v in before.items() if k != state} == {k: v for k, v in after.items() if k != state}


def test_in_place_works_on_a_single_file(shop):
    """The state and the canary of a single file go beside it."""
    (shop / "app.yaml").write_text(f"{APP}---\n{ROLLOUT}")
    (shop / "rollout.yaml").unlink()

    run("render", shop / "app.yaml", "--step", "1", *ASKED, "--in-place")

    assert {"app.yaml", "app-canary.yaml", "krmfn-state.yaml"} == {*contents(shop)}


@pytest.mark.parametrize("command", ["plan", "explain", "adopt", "render"])
@pytest.mark.parametrize("patches", ["patches: [{path: patch.yaml}]\n", "images: [{name: echo, newTag: b}]\n"])
def test_an_overlay_is_built_first(shop, command, patches):
    """A folder whose rollout stands in another one is told what to run; a patch is no rollout with fields missing."""
    overlay = shop.parent / "overlay"
    overlay.mkdir()
    (overlay / "kustomization.yaml").write_text(f"resources: [../shop]\n{patches}")
    if "path" in patches:
        (overlay / "patch.yaml").write_text(f"{ROLLOUT.partition('spec:')[0]}spec: {{disabled: false}}\n")

    done = run(command, overlay)

    assert (1, "") == (done.exit_code, done.stdout)
    said = f"error: {overlay} is an overlay, and its rollout is elsewhere; run `kustomize build {overlay} | krmfn"
    assert f"{said} {command} -` (kustomization.yaml)\n" == done.stderr


@pytest.mark.parametrize("text", ["resources: 7", "resources: [null, 3, {a: b}]", "- a", "resources: [gone.yaml]"])
def test_a_kustomization_with_mistakes_is_no_overlay(tmp_path, text):
    """What is wrong with it is for kustomize to say; here it holds no rollout."""
    (tmp_path / "kustomization.yaml").write_text(text)

    assert "the package has no rollout" in run("plan", tmp_path).stderr


def test_an_overlay_with_a_rollout_of_its_own_is_a_package(shop):
    """Where only other objects stand elsewhere, the folder is taken as it is."""
    (shop / "kustomization.yaml").write_text("resources: [app.yaml, rollout.yaml, ../other]\n")

    assert 0 == run("plan", shop).exit_code


def test_in_place_looks_after_kustomizations(shop):
    """A kustomization that does not list a new file, or lists one that went, is named."""
    write(shop / "base")
    (shop / "app.yaml").unlink()
    (shop / "rollout.yaml").unlink()
    (shop / "kustomization.yaml").write_text("resources:\n  - base/app.yaml\n")

    came = run("render", shop, "--step", "1", *ASKED, "--in-place")
    (shop / "kustomization.yaml").write_text("resources:\n  - base/app.yaml\n  - base/app-canary.yaml\n")
    stayed = run("render", shop, "--step", "2", "--in-place")
    went = run("render", shop, "--step", "0", "--in-place")

    assert "does not list base/app-canary.yaml, which is new; add it (kustomization.yaml)" in came.stderr
    assert "kustomization" not in stayed.stderr
    assert "lists base/app-canary.yaml, which is gone; remove it (kustomization.yaml)" in went.stderr


def test_what_runs_now_may_be_other_manifests(shop):
    """With --stable the package holds the new version, and the stable one comes from a path or standard input."""
    running = shop.parent / "running.yaml"
    running.write_text(APP)
    (shop / "app.yaml").write_text(APP.replace("echo:1.0", "echo:1.1"))

    path = run("render", shop, "--step", "1", "--stable", running)
    piped = run("render", shop, "--step", "1", "--stable", "-", given=APP)

    images = [o["spec"]["template"]["spec"]["containers"][0]["image"] for o in [*yaml.safe_load_all(path.stdout)][:2]]
    assert ["example.com/echo:1.0", "example.com/echo:1.1"] == images
    assert path.stdout == piped.stdout


def test_what_runs_now_may_be_a_revision_of_git(shop, environment, krmfn):
    """With --stable git:REV the stable version is what the same path was at that revision."""
    for arguments in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "--message=one"]):
        subprocess.run(["git", "-C", shop, *arguments], check=True, env=environment)
    (shop / "app.yaml").write_text(APP.replace("echo:1.0", "echo:1.1"))

    done = krmfn("render", ".", "--step", "1", "--stable", "git:HEAD", cwd=shop)
    wrong = krmfn("render", ".", "--step", "1", "--stable", "git:v1", cwd=shop)

    assert (0, NAMES) == (done.returncode, objects(done.stdout))
    assert done.stdout.index(b"echo:1.0") < done.stdout.index(b"echo:1.1")
    assert (1, b"") == (wrong.returncode, wrong.stdout)
    assert b"'v1' is no revision" in wrong.stderr


@pytest.mark.parametrize(
    ("stable", "words"),
    [("-", "standard input holds the package already"), ("git:HEAD", "standard input has no history")],
)
def test_standard_input_is_read_once(stable, words):
    """What cannot come from standard input is said to be so."""
    done = run("render", "-", "--step", "1", "--stable", stable, given=APP)

    assert (1, "") == (done.exit_code, done.stdout)
    assert words in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("--in-place", "-o", "out"),
        ("--one-per-file",),
        ("--isolation", "magic"),
        ("--replicas", "-1"),
        ("--stepp", "1"),
        ("one", "too", "many"),
    ],
)
def test_a_wrong_command_line_ends_with_2(shop, arguments):
    """Options that are unknown, wrong or contradict each other end with 2 and a line that says so."""
    done = run("render", shop, *arguments)

    assert (2, "") == (done.exit_code, done.stdout)
    assert "Error: " in done.stderr


def test_standard_input_cannot_be_written_in_place():
    """In place needs files."""
    done = run("render", "-", "--in-place", given=APP)

    assert (2, True) == (done.exit_code, "standard input has none" in done.stderr)


def test_an_image_in_another_form_is_an_error(shop):
    """An --image without an equals sign is explained by an example."""
    done = run("render", shop, "--step", "1", "--image", "echo:1.1")

    assert (1, True) == (done.exit_code, "write NAME=REF" in done.stderr)


def test_errors_come_first_and_each_on_one_line(shop):
    """All findings are told, one a line, errors before anything else."""
    (shop / "rollout.yaml").write_text(ROLLOUT.replace("5%", "500%").replace("50%", "33.3%"))

    lines = run("render", shop, "--step", "1", *ASKED).stderr.splitlines()

    assert len(lines) >= 2
    assert all(line.startswith("error: Rollout demo/echo spec.strategy") for line in lines)


def test_a_file_that_is_no_manifest_can_be_left_out(shop):
    """What cannot be read stops the run, and the message says how to leave such a file alone."""
    write(shop, tsconfig__json='{\n  // no JSON\n  "files": []\n}\n')
    said = run("plan", shop, *ASKED).stderr
    write(shop, __krmignore="tsconfig.json\n")

    assert said.startswith("error: line 3, column 10: ")
    assert said.endswith("; where this is no manifest, name the file in .krmignore (tsconfig.json)\n")
    assert 0 == run("plan", shop, *ASKED).exit_code


def test_a_template_of_a_chart_is_told_what_comes_first(shop):
    """A chart's folder is no package: its templates are rendered first."""
    write(shop, web__yaml="kind: Deployment\nmetadata:\n  name: {{ .Release.Name }}\n{{- end }}\n")
    said = run("plan", shop, *ASKED).stderr

    assert said.endswith("; a template of a chart is rendered first: helm template NAME CHART | krmfn … - (web.yaml)\n")


def test_diff_shows_what_changes_object_by_object(shop):
    """The difference of two positions is a unified diff with the names of objects and files."""
    done = run("diff", shop, "1", "1>2/scale", *ASKED)

    lines = done.stdout.splitlines()
    assert 1 == done.exit_code
    assert lines[:2] == [
        "--- Deployment demo/echo-canary (app-canary.yaml) at 1",
        "+++ Deployment demo/echo-canary (app-canary.yaml) at 1>2/scale",
    ]
    assert ["-  replicas: 1", "+  replicas: 3"] == [line for line in lines[2:] if line[0] in "+-"]


def test_diff_shows_objects_that_come_and_go(shop):
    """An object that is at one position alone is shown against nothing."""
    comes = run("diff", shop, "0", "1", *ASKED).stdout.splitlines()
    goes = run("diff", shop, "finalise", "complete", *ASKED).stdout.splitlines()

    assert ["--- /dev/null", "+++ Deployment demo/echo-canary (app-canary.yaml) at 1"] == comes[:2]
    assert ["--- Deployment demo/echo-canary (app-canary.yaml) at finalise", "+++ /dev/null"] == goes[:2]


def test_diff_ends_as_diff_does(shop):
    """The exit code is 0 where nothing differs, 1 where something does, and 2 where something is wrong."""
    same, differ = run("diff", shop, "1", "1", *ASKED), run("diff", shop, "1", "2", *ASKED)
    wrong, missing = run("diff", shop, "1", "9", *ASKED), run("diff", shop / "no", "1", "2")

    assert [0, 1, 2, 2] == [done.exit_code for done in (same, differ, wrong, missing)]
    assert ["", "", ""] == [same.stdout, wrong.stdout, missing.stdout]
    assert ["", ""] == [same.stderr, differ.stderr]
    assert "there is no position '9'" in wrong.stderr
    assert "no such file or folder" in missing.stderr


def test_diff_looks_ahead_of_a_release_that_was_not_started(shop):
    """What a new version would do at a position can be seen before anybody starts it."""
    run("render", shop, "--step", "promote", *ASKED, "--in-place")
    run("render", shop, "--step", "complete", "--in-place")
    (shop / "app.yaml").write_text((shop / "app.yaml").read_text().replace("echo:1.1", "echo:1.2"))

    assert 1 == run("render", shop, "--step", "2").exit_code
    assert 1 == run("diff", shop, "1", "2").exit_code


def test_versions_and_help_are_there(krmfn):
    """--version and --help work, and each command's help shows an example that is a command."""
    assert f"krmfn {__version__}\n" == krmfn("--version").stdout.decode() == run("--version").stdout
    assert {"render", "plan", "diff"} <= {*commands.commands}
    for name in commands.commands:
        text = krmfn(name, "--help").stdout.decode()
        assert f"krmfn {name} " in text.partition("Example:")[2]
        assert krmfn(name, "-h").stdout.decode() == text


def test_an_unknown_command_ends_with_2(krmfn):
    """A command that is not there ends with 2 and its name."""
    done = krmfn("rendr", "x")

    assert (2, b"") == (done.returncode, done.stdout)
    assert b"rendr" in done.stderr


def test_the_process_does_what_the_command_does(shop, krmfn):
    """The installed program gives the bytes and the exit codes of the command in this process."""
    for arguments in (("render", "--step", "1"), ("plan",), ("plan", "-o", "json"), ("plan", "-o", "markdown")):
        here = run(arguments[0], shop, *arguments[1:], *ASKED)
        there = krmfn(arguments[0], str(shop), *arguments[1:], *ASKED)
        assert (here.exit_code, here.stdout, here.stderr) == (
            there.returncode,
            there.stdout.decode(),
            there.stderr.decode(),
        )


def test_a_reader_that_stops_is_no_error(shop, environment):
    """Where whoever reads standard output has had enough, nothing is said about it."""
    big = "".join(f"---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c{n}}}\n" for n in range(9000))
    write(shop, big__yaml=big)
    files = sorted(shop.glob("[abr]*.yaml"))
    (shop / "stream").write_bytes(b"".join(path.read_bytes() + b"---\n" for path in files))
    (shop / "step").write_text("kind: RolloutStep\napiVersion: krmfn.dev/v1alpha1\nspec: {step: 0}\n")
    commands = (["krmfn", "render", str(shop), "--step", "1", *ASKED], ["krmfn", str(shop / "step")])

    assert [(141, b"")] * 2 == [stopped(command, environment, shop / "stream") for command in commands]


def stopped(command, environment, given):
    """Read the beginning of what a program writes, and close the pipe; return its exit code and what it said."""
    pipes = dict.fromkeys(("stdout", "stderr"), subprocess.PIPE)
    with given.open("rb") as stdin, subprocess.Popen(command, env=environment, stdin=stdin, **pipes) as process:
        process.stdout.read(10)
        process.stdout.close()
        return process.wait(), process.stderr.read()


def test_colours_are_for_terminals(shop, environment):
    """A terminal gets colours unless NO_COLOR says otherwise, and a pipe never does."""

    def shown(*arguments, **variables):
        terminal, end = pty.openpty()
        command = ["krmfn", arguments[0], str(shop), *arguments[1:], *ASKED]
        there = {**environment, "TERM": "xterm", **variables}
        with subprocess.Popen(command, env=there, stdout=end, stderr=subprocess.DEVNULL):
            os.close(end)
            text = b""
            while part := _read(terminal):
                text += part
        os.close(terminal)
        return text

    for arguments in (("diff", "1", "2"), ("plan",)):
        assert b"\033[" in shown(*arguments)
        assert b"\033[" not in shown(*arguments, NO_COLOR="1")
        assert b"\033[" not in shown(*arguments, TERM="dumb")
        assert "\033[" not in run(arguments[0], shop, *arguments[1:], *ASKED).stdout


def _read(terminal):
    try:
        return os.read(terminal, 65536)
    except OSError:
        return b""


def test_main_returns_the_exit_code(shop, capfd):
    """The command line can be called from Python, and never ends the interpreter."""
    codes = [
        main(given)
        for given in (["render", str(shop)], ["nonsense"], ["diff", str(shop), "1", "1", *ASKED], ["--help"])
    ]

    assert [1, 2, 0, 0] == codes
    assert "Usage: krmfn" in capfd.readouterr().out


def test_the_function_does_not_load_the_command_line():
    """Being a KRM function costs nothing of what the command line needs."""
    code = "import sys, krmfn.__main__, krmfn.hosts; print({'click', 'krmfn.cli', 'krmfn.git'} & set(sys.modules))"

    assert b"set()\n" == subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout
