"""The function as a process: what comes in on standard input, and what goes out of standard output, error and exit."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from krmfn import krm
from tests.echoserver import APP, NEW, ROLLOUT

Run = Callable[..., "subprocess.CompletedProcess[bytes]"]
HEAD = "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\n"
STEP = {"step": 1, "target": {"images": [{"name": "example.com/echo", "newTag": "1.1"}]}}
FUNCTION_INPUT = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "function-input"}}
SAID = b"info: Rollout demo/echo: step 1 of 2: echo 5 pods, echo-canary 1 pod, 5% of requests to the canary\n"
MEGABYTES = 400


def wire(config: Any = None, *, items: str = f"{APP}---\n{ROLLOUT}") -> bytes:
    """Return a ResourceList as a host sends it: comments, quotes and all, the config behind the items."""
    lines = [HEAD, "items:\n"]
    for document in items.split("---\n"):
        first, *rest = document.splitlines(keepends=True)
        lines += [f"- {first}", *(f"  {line}" for line in rest)]
    return ("".join(lines) + ("" if config is None else krm.dump({"functionConfig": config}))).encode()


def step(**spec: Any) -> dict[str, Any]:
    """Return a RolloutStep."""
    return {"apiVersion": "krmfn.dev/v1alpha1", "kind": "RolloutStep", "metadata": {"name": "echo"}, "spec": spec}


def items_of(text: bytes) -> bytes:
    """Cut the items out of a ResourceList."""
    return re.split(rb"^(?:functionConfig|results):", text.split(b"items:\n", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]


def results_of(text: bytes) -> list[dict[str, Any]]:
    """Return the results of a ResourceList."""
    return list(yaml.safe_load(text)["results"])


# What cannot be read, and what is said about it: nothing can be handed back, so nothing is written.
UNREADABLE = {
    "nothing": ("", "the input is empty: a host that takes nothing for an answer deletes the whole package"),
    "blanks": (" \n\n", "the input is empty"),
    "a comment": ("# later\n", "the input is empty"),
    "a list without items": (HEAD, "the ResourceList has no `items`"),
    "items that are no list": (f"{HEAD}items: all\n", "line 3, column 8: `items` is not a list"),
    "broken YAML": (f"{HEAD}items:\n- a: [1,\n", "line 5, column 1: "),
    "a tab": (f"{HEAD}items:\n- a:\n\tb: 1\n", "line 5, column 1: "),
    "a field of the list twice": (
        f"{HEAD}items: []\nitems: []\n",
        "line 4, column 1: the field `items` is there twice",
    ),
    "a config that cannot be read": (
        f"{HEAD}items:\n- a: 1\nfunctionConfig:\n  b: 1\n  b: 2\n",
        "line 7, column 3: key 'b' occurs twice in one mapping",
    ),
    "two lists": (f"{HEAD}items: []\n---\n{HEAD}items: []\n", "line 4, column 1: a second document begins here"),
    "a directive": (f"%YAML 1.2\n---\n{HEAD}items: []\n", "line 1, column 1: Kubernetes tools refuse % directives"),
    "another encoding": ("a: \x00", "control characters are not allowed"),
}


@pytest.mark.parametrize(("given", "said"), UNREADABLE.values(), ids=UNREADABLE)
def test_what_cannot_be_read_is_answered_with_one_line(krmfn: Run, given: str, said: str) -> None:
    """The exit code is 1, standard output is empty, and one line of standard error says what and where."""
    ran = krmfn(given=given.encode())
    assert (1, b"") == (ran.returncode, ran.stdout)
    assert re.fullmatch(r"error: [^\n]+\n", ran.stderr.decode())
    assert said in ran.stderr.decode()


BOMB = "".join(f"  {b}: &{b} [{', '.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefghi", "bcdefghij", strict=True))

# What can be read and not be rendered: the text to find, its replacement, and what is said.
REFUSED = {
    "a key twice": ("  replicas: 5", "  replicas: 5\n  replicas: 6", "line 12, column 5: key 'replicas' occurs twice"),
    "a YAML bomb": (
        "metadata:\n  name: echo\n",
        f"x:\n  a: &a [1]\n{BOMB}metadata:\n  name: echo\n",
        "aliases expanded",
    ),
    "a list for a mapping": ("      app: echo\n", "      - app: echo\n", "must be a mapping, not a list"),
    "a missing Service": ("kind: Service", "kind: Servcie", "names Service demo/echo, which is not in the package"),
    "no rollout": ("kind: Rollout", "kind: Rollercoaster", "the package has no rollout"),
}


@pytest.mark.parametrize(("find", "replace", "said"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_rendered_comes_back_as_it_was(krmfn: Run, find: str, replace: str, said: str) -> None:
    """Every item comes back byte for byte, with an error among the results and on standard error, and exit code 1."""
    given = wire(step(**STEP), items=f"{APP}---\n{ROLLOUT}".replace(find, replace, 1))
    ran = krmfn(given=given)
    assert ran.returncode == 1
    assert items_of(given) == items_of(ran.stdout)
    assert ["error"] == [result["severity"] for result in results_of(ran.stdout)]
    assert said in results_of(ran.stdout)[0]["message"]
    assert said in ran.stderr.decode()


# Function configs that are wrong, and what is said about them.
CONFIGS = {
    "a position that is none": (step(step=1.5), "RolloutStep echo spec.step: 1.5 is no position"),
    "a misspelt word": (step(stpe=1), "RolloutStep echo spec.stpe: is not known; did you mean step?"),
    "another kind": ({"kind": "Secret", "metadata": {"name": "x"}}, "Secret x kind: the function config is a Secret"),
    "an image without a name": (FUNCTION_INPUT | {"data": {"step": "1", "image": "web:1"}}, "write NAME=REF"),
    "a list": (step(target={"images": {}}), "spec.target.images: must be a list, not a mapping"),
    "nothing": (None, "has no position: say `step:` in the function config"),
    "nothing from kpt": (FUNCTION_INPUT | {"data": {}}, "has no position: say `step:` in the function config"),
}


@pytest.mark.parametrize(("config", "said"), CONFIGS.values(), ids=CONFIGS)
def test_a_wrong_config_costs_nothing(krmfn: Run, config: Any, said: str) -> None:
    """The package comes back byte for byte, and the config is named in its own words."""
    given = wire(config)
    ran = krmfn(given=given)
    assert ran.returncode == 1
    assert items_of(given) == items_of(ran.stdout)
    assert results_of(ran.stdout)[0]["severity"] == "error"
    assert said in ran.stderr.decode()


@pytest.mark.parametrize("key", ["RolloutStep", "ConfigMap"])
def test_either_config_says_the_same(krmfn: Run, key: str) -> None:
    """What ``kpt fn eval -- step=1 image=…`` makes does what a RolloutStep does."""
    data = {"step": "1", "image": NEW, "isolation": "rename"}
    config = {"RolloutStep": step(**STEP, isolation="rename"), "ConfigMap": FUNCTION_INPUT | {"data": data}}[key]
    ran = krmfn(given=wire(config))
    assert (0, SAID) == (ran.returncode, ran.stderr)
    names = [(item["kind"], item["metadata"]["name"]) for item in yaml.safe_load(ran.stdout)["items"]]
    expected = [(kind, name) for kind in ("Deployment", "Service", "Ingress") for name in ("echo", "echo-canary")]
    assert [*expected, ("Rollout", "echo"), ("RolloutState", "krmfn-state")] == names


def test_as_a_plugin_of_kustomize_the_config_is_a_file(krmfn: Run, tmp_path: Path) -> None:
    """A legacy plugin is called with the path of its config: a stream in, a stream out, without what nobody applies."""
    path = tmp_path / "step.yaml"
    path.write_text(krm.dump(step(**STEP)))
    ran = krmfn(str(path), given=f"{APP}---\n{ROLLOUT}".encode())
    assert ran.returncode == 0, ran.stderr.decode()
    names = [(item["kind"], item["metadata"]["name"]) for item in yaml.safe_load_all(ran.stdout)]
    assert [(kind, name) for kind in ("Deployment", "Service", "Ingress") for name in ("echo", "echo-canary")] == names


@pytest.mark.parametrize("text", ["", krm.dump(step(step=7)), "a: [\n", "kind: Secret\n", "a: 1\n---\nb: 1\n"])
def test_a_plugin_that_fails_writes_nothing(krmfn: Run, tmp_path: Path, text: str) -> None:
    """Kustomize reads a stream as it comes, so there is none: only standard error and the exit code."""
    path = tmp_path / "step.yaml"
    path.write_text(text)
    ran = krmfn(str(path), given=f"{APP}---\n{ROLLOUT}".encode())
    assert (1, b"") == (ran.returncode, ran.stdout)
    assert re.fullmatch(r"error: [^\n]+\n", ran.stderr.decode())


SCRIPT = """\
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: routes
  namespace: demo
data:
  lua.traffic.routing.ingress.nginx: |
    local annotations = obj.annotations
    {body}
    return annotations
"""


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("annotations.a = nobody.b", "lua.traffic.routing.ingress.nginx, line 2: "),
        ("while true do end", "lua.traffic.routing.ingress.nginx"),
        ('error("no route today")', "no route today"),
        ("return 1 +", "lua.traffic.routing.ingress.nginx"),
        ("os.exit(0)", "lua.traffic.routing.ingress.nginx, line 2: "),
    ],
)
def test_a_script_of_the_user_s_that_fails_is_named(krmfn: Run, body: str, said: str) -> None:
    """A script that fails, hangs or tries to leave is an error that names it and the route; the items come back."""
    given = wire(step(**STEP), items=f"{APP}---\n{ROLLOUT}{SCRIPT.format(body=body)}")
    ran = krmfn(given=given)
    assert ran.returncode == 1
    assert items_of(given) == items_of(ran.stdout)
    [result] = results_of(ran.stdout)
    assert ("Ingress", "echo") == (result["resourceRef"]["kind"], result["resourceRef"]["name"])
    assert said in result["message"]


def test_a_script_of_the_user_s_wins_over_ours(krmfn: Run) -> None:
    """What it returns is what the canary's route is annotated with."""
    script = SCRIPT.format(body='annotations["example.com/share"] = obj.weight')
    ran = krmfn(given=wire(step(**STEP), items=f"{APP}---\n{ROLLOUT}{script}"))
    assert ran.returncode == 0, ran.stderr.decode()
    items = {(i["kind"], i["metadata"]["name"]): i for i in yaml.safe_load(ran.stdout)["items"]}
    assert {"example.com/share": "5"} == items["Ingress", "echo-canary"]["metadata"]["annotations"]


BROKEN = """\
import sys
from krmfn import dialects, hosts

class Broken:
    def plan(self, rollout, scene):
        return 1 // 0

dialects.DIALECTS.update(dict.fromkeys(dialects.DIALECTS, Broken))
sys.exit(hosts.run_function())
"""


def test_a_bug_does_not_look_like_success() -> None:
    """A bug of ours ends with exit code 1, an empty standard output, and a first line that says whose fault it is."""
    ran = subprocess.run(
        [sys.executable, "-c", BROKEN], input=wire(step(**STEP)), capture_output=True, check=False, timeout=60
    )
    assert (1, b"") == (ran.returncode, ran.stdout)
    first, *rest = ran.stderr.decode().splitlines()
    assert first.startswith("error: a bug in krmfn, please report it; nothing was written (ZeroDivisionError: ")
    assert rest[-1].startswith("ZeroDivisionError: ")


GIANT = """\
import resource, subprocess, sys
ran = subprocess.run([sys.executable, "-m", "krmfn"], stdin=open(sys.argv[1]), capture_output=True, timeout=30)
print(ran.returncode, len(ran.stdout), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)
print(ran.stderr.decode())
"""


@pytest.mark.parametrize("head", ["a: ", f"{HEAD}items:\n- {{a: ", "[" * 1000])
def test_a_line_of_a_hundred_megabytes_ends_in_an_error(tmp_path: Path, head: str) -> None:
    """It takes seconds and a bounded amount of memory, and the error names the line and the limit."""
    path = tmp_path / "giant.yaml"
    path.write_bytes(head.encode() + b"x" * 100_000_000 + b"\n")
    command = [sys.executable, "-c", GIANT, str(path)]
    figures, *said = subprocess.run(command, capture_output=True, check=True, text=True).stdout.splitlines()
    code, written, megabytes = map(int, figures.split())
    assert (1, 0) == (code, written)
    assert megabytes < MEGABYTES
    assert re.fullmatch(r"error: an object of 95 MB begins in line \d; krmfn reads up to 8, .*", said[0])


def test_many_objects_pass_while_one_is_rendered(krmfn: Run) -> None:
    """What has nothing to do with the release goes through byte for byte, whatever it is."""
    odd = 'a: &x "on" # kept\nb: [*x, 1e3, 0o17]\n---\n- just\n- a list\n---\nkind: List\nitems: []\n---\n~\n'
    given = wire(step(**STEP), items=f"{odd}---\n{APP}---\n{ROLLOUT}")
    ran = krmfn(given=given)
    assert ran.returncode == 0, ran.stderr.decode()
    before = items_of(given).split(b"- # What users reach.")[0]
    assert items_of(ran.stdout).startswith(before)
