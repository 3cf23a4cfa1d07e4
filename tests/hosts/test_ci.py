"""What CI runs: the shell of the GitHub action, of the GitLab include and of the pre-commit hooks, as they stand there.

Their words ``${{ … }}`` and ``$[[ … ]]`` are filled in as the services do; the services themselves are not here, so a
stand-in keeps the comments that it is sent.
"""

import json
import re
import subprocess
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.echoserver import NEW, ROLLOUT, STEP, write
from tests.hosts import programs
from tests.stories import ROOT

Environment = Mapping[str, str]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text())
STEPS = {step["name"]: step for step in ACTION["runs"]["steps"]}
SPEC, JOBS = yaml.safe_load_all((ROOT / "hosts" / "gitlab" / "krmfn.yml").read_text())
HOOKS = {hook["id"]: hook for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())}


@pytest.fixture(name="shop")
def _shop(tmp_path: Path) -> Path:
    """A package at step 1."""
    return write(tmp_path / "work" / "shop", step__yaml=STEP).parent


class Notes(BaseHTTPRequestHandler):
    """Keeps comments, under numbers of their own, and says who wrote what."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def answer(self, body: object) -> None:
        """Send JSON."""
        data = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self) -> None:
        """List the comments."""
        self.answer([{"id": number, "body": text} for number, text in self.server.notes.items()])

    def do_POST(self) -> None:
        """Keep a comment; a path that ends in a number names an earlier one."""
        given = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        last = self.path.rpartition("/")[2]
        number = int(last) if last.isdigit() else len(self.server.notes) + 1
        self.server.notes[number] = given["body"]
        self.server.asked.append(
            (self.command, self.path, self.headers["Authorization"] or self.headers["Private-Token"])
        )
        self.answer({"id": number})

    do_PATCH = do_PUT = do_POST  # noqa: N815 - as above


@pytest.fixture(name="service")
def _service() -> Iterator[Any]:
    """A service that has one comment of somebody else's."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Notes)
    server.notes, server.asked = {1: "What a fine change."}, []
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def run(script: str, shell: str, place: Path, environment: Environment) -> programs.Ran:
    """Run a script as a runner does."""
    path = place.parent / "script"
    path.write_text(script)
    return programs.run([*shell.format(path).split()], cwd=place, environment=environment)


def on_github(shop: Path, environment: Environment, **inputs: str) -> tuple[programs.Ran, dict[str, str]]:
    """Run the step that plans, and return what it did and the files that it wrote."""
    given = {name: field["default"] for name, field in ACTION["inputs"].items()} | inputs
    words = re.compile(r"\$\{\{ inputs\.(\w+) \}\}")
    own = {name: words.sub(lambda found: given[found[1]], text) for name, text in STEPS["Plan"]["env"].items()}
    temp = shop.parent / "temp"
    temp.mkdir(exist_ok=True)
    files = {"GITHUB_STEP_SUMMARY": str(temp / "summary"), "GITHUB_OUTPUT": str(temp / "output")}
    place = {"RUNNER_TEMP": str(temp), "GITHUB_WORKFLOW": "ci", "GITHUB_JOB": "plan"}
    ran = run(STEPS["Plan"]["run"], "bash {}", shop, {**environment, **own, **files, **place})
    return ran, {path.name: path.read_text() for path in temp.iterdir()}


def test_github_plans(shop: Path, environment: Environment) -> None:
    """The plan and the diff of the next stage are in a file with a mark, in the summary, and named as an output."""
    ran, files = on_github(shop, environment, path="shop")
    assert (0, "") == (ran.code, ran.out), ran.err
    mark, _, plan = files["krmfn-plan.md"].partition("\n")
    assert "<!-- krmfn: ci plan -->" == mark
    assert plan.startswith("## Rollout demo/echo releases Deployment demo/echo: 2 steps, 5 pods\n")
    assert "<summary>What the next commit changes: 1 → 1>2/scale</summary>\n\n````diff\n--- Deployment" in plan
    assert files["krmfn-plan.md"] == files["summary"]
    assert f"plan={shop.parent}/temp/krmfn-plan.md\n" == files["output"]


def test_github_builds_and_takes_options(shop: Path, environment: Environment) -> None:
    """A build command says the package instead of a path, and options are options of krmfn plan."""
    (shop / "shop" / "step.yaml").unlink()
    ran, files = on_github(
        shop, environment, build="cat shop/app.yaml; echo ---; cat shop/*t.yaml", options=f"--image {NEW}"
    )
    assert 0 == ran.code, ran.err
    assert "The new version: spec.containers\\[echo\\].image" in files["krmfn-plan.md"]
    assert "What the next commit changes: 0 → 0>1/scale" in files["krmfn-plan.md"]


def test_github_shows_what_is_wrong(shop: Path, environment: Environment) -> None:
    """Each finding is an annotation, the step fails, and so it does where the build fails."""
    (shop / "shop" / "rollout.yaml").write_text(ROLLOUT.replace("5%", "500%"))
    ran, _ = on_github(shop, environment, path="shop")
    assert 1 == ran.code
    assert ran.out.startswith("::error::Rollout demo/echo spec.strategy.canary.steps[0].traffic: ")
    assert 0 != on_github(shop, environment, build="cat shop/app.yaml; false")[0].code


def test_github_keeps_one_comment(shop: Path, environment: Environment, service: Any) -> None:
    """The first run writes a comment, later ones write it anew, and nobody else's is touched."""
    on_github(shop, environment, path="shop")
    step = STEPS["Comment"]
    url = f"http://127.0.0.1:{service.server_port}"
    own = {"TOKEN": "t", "NUMBER": "7", "PLAN": str(shop.parent / "temp" / "krmfn-plan.md")}
    place = {"GITHUB_API_URL": url, "GITHUB_REPOSITORY": "shop/app"}
    for _ in range(2):
        ran = run(step["run"], step["shell"].replace("{0}", "{}"), shop, {**environment, **own, **place})
        assert 0 == ran.code, ran.err
    assert {1, 2} == set(service.notes)
    assert "What a fine change." == service.notes[1]
    assert service.notes[2].startswith("<!-- krmfn: ci plan -->\n## Rollout demo/echo")
    assert [
        ("POST", "/repos/shop/app/issues/7/comments", "Bearer t"),
        ("PATCH", "/repos/shop/app/issues/comments/2", "Bearer t"),
    ] == service.asked


def test_the_action_installs_itself(environment: Environment) -> None:
    """The step that installs is shell that bash can read, and every input that is used is declared."""
    for step in STEPS.values():
        if step["shell"] == "bash":
            assert 0 == subprocess.run(["bash", "-n"], input=step["run"].encode(), check=False).returncode
    used = set(re.findall(r"inputs\.(\w+)", (ROOT / "action.yml").read_text()))
    assert used == set(ACTION["inputs"])


def on_gitlab(shop: Path, environment: Environment, **inputs: str) -> list[programs.Ran]:
    """Run the job's script, a command after the other, until one fails."""
    given = {name: field["default"] for name, field in SPEC["spec"]["inputs"].items()} | inputs
    words = re.compile(r"\$\[\[ inputs\.(\w+) \]\]")
    own = {k: words.sub(lambda found: given[found[1]], text) for k, text in JOBS["krmfn"]["variables"].items()}
    done = []
    for script in JOBS["krmfn"]["script"]:
        done.append(run(script, "sh {}", shop, {**environment, **own, "CI_JOB_NAME": "krmfn"}))
        if done[-1].code:
            break
    return done


def test_gitlab_plans(shop: Path, environment: Environment) -> None:
    """The plan and the diff of the next stage are in the artifact; without a token nothing else is done."""
    done = on_gitlab(shop, environment, path="shop")
    assert [0, 0] == [ran.code for ran in done], done
    text = (shop / "krmfn-plan.md").read_text()
    assert text.startswith("<!-- krmfn: krmfn -->\n## Rollout demo/echo")
    assert "What the next commit changes: 1 → 1>2/scale" in text
    assert JOBS["krmfn"]["artifacts"]["paths"] == ["krmfn-plan.md"]


def test_gitlab_keeps_one_note(shop: Path, environment: Environment, service: Any) -> None:
    """With a token there is one note, which later runs write anew."""
    url = f"http://127.0.0.1:{service.server_port}"
    place = {"CI_API_V4_URL": url, "CI_PROJECT_ID": "3", "CI_MERGE_REQUEST_IID": "7", "KRMFN_TOKEN": "t"}
    for _ in range(2):
        done = on_gitlab(shop, {**environment, **place}, path="shop")
        assert [0, 0] == [ran.code for ran in done], done
    assert {1, 2} == set(service.notes)
    notes = "/projects/3/merge_requests/7/notes"
    assert [("POST", notes, "t"), ("PUT", f"{notes}/2", "t")] == service.asked


def test_gitlab_stops_at_what_is_wrong(shop: Path, environment: Environment) -> None:
    """A package that cannot be planned, or built, fails the job with the reason in its log."""
    (shop / "shop" / "rollout.yaml").write_text(ROLLOUT.replace("5%", "500%"))
    [ran] = on_gitlab(shop, environment, path="shop")
    assert 1 == ran.code
    assert "error: Rollout demo/echo spec.strategy.canary.steps[0].traffic: " in ran.err
    assert 0 != on_gitlab(shop, environment, build="cat shop/app.yaml; false")[-1].code


@pytest.mark.parametrize(("hook", "place"), [("krmfn-render", ("--output", "rendered")), ("krmfn-in-place", ())])
def test_a_hook_fails_where_files_are_stale(shop: Path, environment: Environment, hook: str, place) -> None:
    """What pre-commit runs passes when the files are fresh, and names those that are not."""
    command = [*HOOKS[hook]["entry"].split(), "shop", *place]
    write_them = [word for word in command if word != "--check"]
    stale = programs.run(command, cwd=shop, environment=environment)
    fresh = [programs.run(line, cwd=shop, environment=environment).code for line in (write_them, command)]
    assert (1, [0, 0]) == (stale.code, fresh), stale.err
    assert "app-canary.yaml is not what krmfn renders" in stale.err
