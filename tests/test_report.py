"""The plan of a release: as a table, as JSON and as Markdown."""

import json
import re

import pytest
import yaml
from click.testing import CliRunner

from krmfn.cli.commands import commands
from krmfn.plan import EXACT, PREFIX, REGEX, Condition, Match
from krmfn.report import words
from krmfn.report.difference import GONE, FieldChange
from krmfn.report.markdown import _label
from tests.echoserver import APP, NEW, ROLLOUT, STEP, write
from tests.stories import FIXTURES, story

ASKED = ("--image", NEW)
PARTS = {"app": APP, "rollout": ROLLOUT}
TABLE = """\
Rollout demo/echo releases Deployment demo/echo: 2 steps, 5 pods
The new version: spec.containers[echo].image example.com/echo:1.0 → example.com/echo:1.1.
Stable and canary pods are told apart by: rename.
It stands at 1.

  POSITION   STABLE  CANARY  TO THE CANARY  PINNED  BEFORE THE NEXT COMMIT
  0          5 old   -       -              no      a person decides
  0>1/scale  5 old   1 new   0%             yes     canary 1 ready
      + Deployment demo/echo-canary
      + Service demo/echo-canary
      + Ingress demo/echo-canary
> 1          5 old   1 new   5%             yes     a person decides
      ~ Ingress demo/echo-canary: annotations.nginx.ingress.kubernetes.io/canary-weight 0 → 5
  1>2/scale  5 old   3 new   5%             yes     canary 3 ready
      ~ Deployment demo/echo-canary: spec.replicas 1 → 3
  2          5 old   3 new   50%            yes     30 s
      ~ Ingress demo/echo-canary: annotations.nginx.ingress.kubernetes.io/canary-weight 5 → 50
  promote    5 new   3 new   50%            no      stable 5 ready
      ~ Deployment demo/echo: spec.template.spec.containers[echo].image example.com/echo:1.0 →
        example.com/echo:1.1
  finalise   5 new   3 new   0%             no      requests have moved
      ~ Ingress demo/echo-canary: annotations.nginx.ingress.kubernetes.io/canary-weight 50 → 0
  complete   5 new   -       -              no      -
      - Deployment demo/echo-canary
      - Service demo/echo-canary
      - Ingress demo/echo-canary

Back from 1: 1>0/shift, 1>0/drain, 0.
"""
CHART = """\
```mermaid
flowchart LR
  s0["<b>0</b><br/>5 old"]
  s1["<b>1</b><br/>5 old + 1 new<br/>5%"]:::current
  s2["<b>2</b><br/>5 old + 3 new<br/>50%"]
  s3["<b>promote</b><br/>5 new + 3 new<br/>50%"]
  s4["<b>finalise</b><br/>5 new + 3 new<br/>0%"]
  s5["<b>complete</b><br/>5 new"]
  s0 -->|a person decides| s1
  s1 -->|a person decides| s2
  s2 -->|30 s| s3
  s3 --> s4
  s4 --> s5
  classDef current stroke-width:4px,font-weight:bold
```
"""
FORWARD = [("0", "1"), ("1", "2"), ("2", "promote"), ("promote", "finalise"), ("finalise", "complete")]
BACK = [("1", "0"), ("2", "0"), ("promote", "0")]


def run(*arguments):
    """Run a command in this process."""
    return CliRunner().invoke(commands, [str(a) for a in arguments], prog_name="krmfn")


@pytest.fixture(name="shop")
def _shop(tmp_path):
    """The package in a folder."""
    return write(tmp_path / "shop")


@pytest.fixture(name="plan")
def _plan(shop):
    """The plan of the only rollout, as JSON."""
    whole = json.loads(run("plan", shop, *ASKED, "-o", "json").stdout)
    assert ("krmfn.dev/v1alpha1", "Plan") == (whole["apiVersion"], whole["kind"])
    (found,) = whole["rollouts"]
    return found


def test_the_table_reads_well(shop):
    """The table has a line for each commit, aligned, with what it changes and the current position marked."""
    run("render", shop, "--step", "1", *ASKED, "--in-place")

    done = run("plan", shop)

    assert (0, "") == (done.exit_code, done.stderr)
    assert TABLE == done.stdout


def test_the_table_fits_a_terminal(shop):
    """Whatever the requests of a step look like, no line is wider than 100 columns."""
    conditions = "".join(
        f"\n                - name: x-header-{n}\n                  value: value-{n}" for n in range(4)
    )
    matching = ROLLOUT.replace("- traffic: 5%\n", f"- matches:\n            - headers:{conditions}\n")
    write(shop, rollout__yaml=matching.replace("name: echo\n  namespace", "name: echo\n  namespace"))

    shown = run("plan", shop).stdout

    assert "header x-header-0 = value-0" in shown
    assert 100 >= max(map(len, shown.splitlines()))


def test_the_plan_can_be_had_before_the_new_version(shop):
    """Without a second revision the timeline is shown, without changes, and the plan says why."""
    table = run("plan", shop)
    (found,) = json.loads(run("plan", shop, "-o", "json").stdout)["rollouts"]

    assert 0 == table.exit_code
    assert "The target is not known yet" in table.stdout
    assert "echo-canary" not in table.stdout
    assert [False, []] == [found["target"]["known"], found["target"]["changes"]]
    assert {None} == {position["changes"] for edge in found["edges"] for position in edge["positions"]}
    assert ["echo-canary"] == [wait["name"] for wait in found["edges"][0]["positions"][0]["waitFor"]]


def test_json_names_every_edge(plan):
    """There is an edge for each step of the timeline, and one back to 0 from wherever pods of both versions run."""
    assert FORWARD + BACK == [(edge["from"], edge["to"]) for edge in plan["edges"]]
    assert all(edge["to"] == edge["positions"][-1]["position"] for edge in plan["edges"])
    ahead = [position["position"] for edge in plan["edges"][: len(FORWARD)] for position in edge["positions"]]
    assert ["0", *ahead] == [position["position"] for position in plan["positions"]]
    back = {edge["from"]: [p["position"] for p in edge["positions"]] for edge in plan["edges"][len(FORWARD) :]}
    assert ["1>0/shift", "1>0/drain", "0"] == back["1"]
    assert ["promote>0/scale", "promote>0/shift", "promote>0/drain", "0"] == back["promote"]


def test_json_has_one_shape(plan):
    """Every part of the document has the same fields, whether or not there is something to say."""
    edges = plan["edges"]
    commits = [commit for edge in edges for commit in edge["positions"]]
    waits = [wait for part in (*edges, *commits) for wait in part["waitFor"]]
    changes = [change for commit in commits for change in commit["changes"]]

    assert {
        "rollout",
        "workload",
        "canary",
        "replicas",
        "steps",
        "current",
        "isolation",
        "target",
        "notes",
        "positions",
        "edges",
    } == {*plan}
    assert {frozenset({"from", "to", "positions", "waitFor", "gate"})} == {frozenset(edge) for edge in edges}
    assert {frozenset({"position", "changes", "waitFor", "grace", "note"})} == {frozenset(c) for c in commits}
    identity = {"apiVersion", "kind", "namespace", "name"}
    counts = {"generationObserved", "replicas", "updatedReplicas", "availableReplicas"}
    assert {frozenset(identity | counts)} == {frozenset(wait) for wait in waits}
    assert {frozenset({"action", "object", "file", "fields"})} == {frozenset(change) for change in changes}
    assert {"position", "resting", "stable", "canary", "traffic", "toCanary", "pinned", "gate"} == {
        key for position in plan["positions"] for key in position
    }


def test_json_says_who_opens_the_gate(plan):
    """A gate is a person's, a delay in seconds, or none, as the author of the rollout wrote it."""
    gates = {edge["to"]: edge["gate"] for edge in plan["edges"]}

    assert {"type": "person"} == gates["1"]
    assert {"type": "delay", "seconds": 30} == gates["2"]
    assert {"type": "person"} == gates["0"]
    assert {"type": "none"} == gates["promote"] == gates["finalise"] == gates["complete"]


def test_json_waits_for_what_is_rendered(shop, plan):
    """What a position waits for are workloads of its rendering, with the number of pods that they have there."""
    for edge in plan["edges"]:
        for commit in edge["positions"]:
            stream = run("render", shop, "--step", commit["position"], *ASKED).stdout
            rendered = {(o["kind"], o["metadata"]["name"]): o for o in yaml.safe_load_all(stream)}
            for wait in commit["waitFor"]:
                expected = rendered[wait["kind"], wait["name"]]["spec"]["replicas"]
                assert [expected] * 3 == [wait[f"{which}eplicas"] for which in ("r", "updatedR", "availableR")]
                assert wait["generationObserved"] is True
        last = {wait["name"]: wait["replicas"] for wait in edge["waitFor"]}
        assert {name: rendered["Deployment", name]["spec"]["replicas"] for name in last} == last


def test_json_waits_for_every_workload_that_changes(plan):
    """A workload whose pods change is waited for, unless it went; where only requests move there is a grace."""
    for edge in plan["edges"]:
        for commit in edge["positions"]:
            pods = [
                c["object"]
                for c in commit["changes"]
                if c["object"]["kind"] == "Deployment" and c["action"] != "removed"
            ]
            assert sorted(o["name"] for o in pods) == sorted(wait["name"] for wait in commit["waitFor"])
            if any(c["object"]["kind"] == "Ingress" and c["action"] == "changed" for c in commit["changes"]):
                assert commit["grace"] is True
            assert commit["grace"] is bool(commit["note"])


def test_json_shows_the_traffic(shop):
    """A weight is a number, and matches are what the author wrote."""
    match = "- matches:\n            - headers:\n                - {name: user, type: RegularExpression, value: a.*}\n"
    write(shop, rollout__yaml=ROLLOUT.replace("- traffic: 5%\n", match))

    (found,) = json.loads(run("plan", shop, "-o", "json").stdout)["rollouts"]

    by_name = {position["position"]: position for position in found["positions"]}
    condition = {"part": "header", "name": "user", "type": "RegularExpression", "value": "a.*"}
    assert None is by_name["0"]["traffic"]
    assert {"weight": None, "matches": [{"conditions": [condition], "path": None}]} == by_name["1"]["traffic"]
    assert {"weight": 50, "matches": []} == by_name["2"]["traffic"]
    assert "header user ~ a.*" == by_name["1"]["toCanary"]


def test_the_chart_has_a_box_for_each_resting_stage(shop):
    """Markdown opens with a chart whose arrows say who decides, and marks where the package stands."""
    run("render", shop, "--step", "1", *ASKED, "--in-place")

    shown = run("plan", shop, "-o", "markdown").stdout

    assert shown.startswith("## Rollout demo/echo releases Deployment demo/echo: 2 steps, 5 pods\n\n- The new version")
    assert CHART in shown


def test_the_markdown_table_is_one(shop):
    """Every row has the columns of the head, whatever is in the cells, and the current position is marked."""
    match = "- matches:\n            - headers:\n                - {name: user, value: 'a|b`<i>*'}\n"
    write(shop, rollout__yaml=ROLLOUT.replace("- traffic: 5%\n", match))
    run("render", shop, "--step", "1", *ASKED, "--in-place")

    rows = [line for line in run("plan", shop, "-o", "markdown").stdout.splitlines() if line.startswith("|")]

    assert {9} == {len(re.findall(r"(?<!\\)\|", row)) for row in rows}
    assert ["**`1`**"] == [row.split(" | ")[1] for row in rows if row.startswith("| ➤")]
    assert any(r"header user = a\|b\`\<i\>\*" in row for row in rows)


def test_labels_of_the_chart_have_no_characters_of_mermaid():
    """What a header may hold is written as codes wherever Mermaid would take it for its own."""
    assert "header user #61; a#124;b#34;#91;x#93;#59;#35;" == _label('header user = a|b"[x];#')


@pytest.mark.parametrize(
    ("match", "expected"),
    [
        (Match((Condition("header", "user", "me"),)), "header user = me"),
        (
            Match((Condition("cookie", "c", "a.*", REGEX), Condition("query", "q", "1"))),
            "cookie c ~ a.* and query q = 1",
        ),
        (Match(path=(EXACT, "/a")), "path /a"),
        (Match(path=(PREFIX, "/a")), "path below /a"),
        (Match(path=(REGEX, "/a.*")), "path ~ /a.*"),
        (Match(), "any request"),
    ],
)
def test_matches_are_put_in_words(match, expected):
    """Each kind of condition reads as people say it."""
    assert expected == words.match(match)


def test_values_are_shown_where_they_are_short():
    """A field that changed shows both values, or only its name where one of them is long."""
    assert "spec.replicas 1 → 2" == str(FieldChange("spec.replicas", 1, 2))
    assert "a (absent) → x" == str(FieldChange("a", GONE, "x"))
    assert "spec" == str(FieldChange("spec", {"a": 1}, {}))
    assert "a" == str(FieldChange("a", "x" * 99, "y"))
    pinned = FieldChange("image", "shop@sha256:" + "1" * 64, "shop@sha256:" + "2" * 64)
    assert f"image shop@sha256:{'1' * 12}… → shop@sha256:{'2' * 12}…" == str(pinned)


def test_the_position_is_marked_where_there_is_no_state(shop):
    """Without a state the package stands where its RolloutStep, or else the annotation of its rollout, says."""
    annotated = ROLLOUT.replace(
        "  name: echo\n  namespace: demo\n",
        "  name: echo\n  namespace: demo\n  annotations: {krmfn.dev/step: '2'}\n",
        1,
    )
    write(shop, rollout__yaml=annotated)
    assert "It stands at 2." in run("plan", shop).stdout
    write(shop, step__yaml=STEP)
    assert "It stands at 1." in run("plan", shop).stdout
    write(shop, step__yaml=STEP.replace("step: 1", "step: nonsense"))
    assert "It stands at" not in run("plan", shop).stdout


def test_a_position_on_the_way_back_is_said(shop):
    """A position that is not on the timeline is said in words, in every form."""
    run("render", shop, "--step", "1", *ASKED, "--in-place")
    run("render", shop, "--step", "1>0/drain", "--in-place")

    assert "It stands at 1>0/drain." in run("plan", shop).stdout
    assert "It stands at 1\\>0/drain." in run("plan", shop, "-o", "markdown").stdout
    assert "1>0/drain" == json.loads(run("plan", shop, "-o", "json").stdout)["rollouts"][0]["current"]


def test_a_position_of_another_version_is_not_marked(shop):
    """Where the position was set for another version, the plan is that of the new one, and says so."""
    run("render", shop, "--step", "2", *ASKED, "--in-place")
    (shop / "app-canary.yaml").write_text((shop / "app-canary.yaml").read_text().replace("echo:1.1", "echo:1.2"))

    done = run("plan", shop)

    assert 0 == done.exit_code
    assert "The package stands at 2 for another version than this target." in done.stdout
    assert "It stands at" not in done.stdout


def test_a_label_that_has_to_come_first_is_said(shop):
    """With isolation by track the plan starts with the restart that stamps the pods, and needs nobody's word for it."""
    done = run("plan", shop, *ASKED, "--isolation", "track")

    assert 0 == done.exit_code
    assert "told apart by: track" in done.stdout
    assert "at the price of one rolling restart" in done.stdout


def test_each_rollout_has_a_plan(shop):
    """Every rollout of a package is planned while the others stay where they are, and --rollout shows one alone."""
    write(shop, app2__yaml=APP.replace("echo", "cart"), rollout2__yaml=ROLLOUT.replace("echo", "cart"))

    every = json.loads(run("plan", shop, "-o", "json").stdout)["rollouts"]
    cart = run("plan", shop, "--rollout", "cart", "--image", "example.com/cart=example.com/cart:2").stdout

    assert ["echo", "cart"] == [found["rollout"]["name"] for found in every]
    assert "Deployment demo/cart-canary" in cart
    assert "echo" not in cart


def test_rollouts_of_one_name_are_told_apart_by_their_namespace(shop):
    """Two namespaces in one folder, each with a rollout of the same name: both are planned, and either can be asked."""
    write(
        shop, **{f"{name}2__yaml": text.replace("namespace: demo", "namespace: prod") for name, text in PARTS.items()}
    )

    every = json.loads(run("plan", shop, "-o", "json").stdout)["rollouts"]
    prod = run("plan", shop, "--rollout", "prod/echo", *ASKED).stdout
    explained = run("explain", shop, "--rollout", "prod/echo").stdout
    moved = run("adopt", shop).stdout

    assert ["demo", "prod"] == [found["rollout"]["namespace"] for found in every]
    assert "Deployment prod/echo-canary" in prod
    assert "demo" not in prod + explained
    assert "Rollout prod/echo moves over" in moved


def test_what_is_wrong_is_said_once(shop):
    """What is wrong at several positions is told once, without a plan, and the exit code is 1."""
    (shop / "app.yaml").write_text(APP.replace("replicas: 5", "replicas: 0"))

    done = run("plan", shop, *ASKED)

    assert (1, "") == (done.exit_code, done.stdout)
    assert 1 <= len(done.stderr.splitlines()) == len(set(done.stderr.splitlines()))
    assert all(line.startswith("error: ") for line in done.stderr.splitlines())


@pytest.mark.parametrize(
    ("files", "options", "expected"),
    [
        ({"rollout__yaml": "kind: A\napiVersion: v1\n"}, (), "has no rollout"),
        ({}, ("--rollout", "other"), "names none of"),
        (
            {"rollout__yaml": ROLLOUT.replace("name: echo\n  strategy", "name: eco\n  strategy")},
            (),
            "did you mean 'echo'?",
        ),
        ({}, ("--image", "x=y"), "no container runs an image named 'x'"),
        (
            {"rollout__yaml": ROLLOUT.replace("ingress:\n            classType", "ingress:\n            classtype")},
            (),
            "did you mean classType?",
        ),
    ],
)
def test_a_plan_that_cannot_be_is_an_error(shop, files, options, expected):
    """Without a rollout, with a wrong name, field or image there is no plan but the reason."""
    write(shop, **files)

    done = run("plan", shop, *options)

    assert done.exit_code == 1
    assert expected in done.stderr


def test_warnings_are_said_beside_the_plan(shop):
    """What a person should know about the release goes to standard error, without the jumps that nobody makes."""
    policy = (
        "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: echo, namespace: demo}\n"
        "spec: {minAvailable: 1, selector: {matchLabels: {app: echo}}}\n"
    )
    write(shop, policy__yaml=policy)
    run("render", shop, "--step", "1", *ASKED, "--in-place")

    done = run("plan", shop)

    assert 0 == done.exit_code
    assert ["warning: PodDisruptionBudget demo/echo"] == [
        line.partition(" spec")[0] for line in done.stderr.splitlines()
    ]


def test_one_workload_with_pods_of_both_versions_is_waited_for_as_one(shop):
    """Where pods are moved within one object, the waits are for that object, of whose pods so many are updated."""
    batches = ROLLOUT.partition("      trafficRoutings")[0]
    for old, new in (
        ("kind: Deployment", "kind: CloneSet"),
        ("apps/v1", "apps.kruise.io/v1alpha1"),
        ("      enableExtraWorkloadForCanary: true\n", ""),
        ("traffic: 5%\n          ", ""),
        ("traffic: 50%\n          ", ""),
    ):
        batches = batches.replace(old, new)
    app = APP.replace("kind: Deployment", "kind: CloneSet").replace("apps/v1", "apps.kruise.io/v1alpha1")
    write(shop, app__yaml=app, rollout__yaml=batches)

    (found,) = json.loads(run("plan", shop, *ASKED, "-o", "json").stdout)["rollouts"]
    waits = {edge["to"]: edge["waitFor"] for edge in found["edges"] if edge["from"] < edge["to"]}
    table = run("plan", shop, *ASKED).stdout

    assert [("echo", 5, 1, 5)] == [
        (w["name"], w["replicas"], w["updatedReplicas"], w["availableReplicas"]) for w in waits["1"]
    ]
    assert "5 ready, 1 of them new" in table
    assert "canary 1 ready" not in table


def test_a_share_of_the_pods_is_enough_where_the_author_says_so(tmp_path):
    """Flagger's thresholds are shares of pods that have to be available, one at the least, and rounded down."""
    given = story(FIXTURES / "flagger" / "podinfo-canary").files
    thresholds = b"\n    interval: 1m\n    primaryReadyThreshold: 50\n    canaryReadyThreshold: 0\n"
    for name, data in given.items():
        (tmp_path / name).write_bytes(data.replace(b"\n    interval: 1m\n", thresholds))
    asked = (tmp_path, "--image", "example.com/podinfo=example.com/podinfo:6.0.2", "-o", "json")

    (found,) = json.loads(run("plan", *asked).stdout)["rollouts"]
    waits = {edge["to"]: edge["waitFor"] for edge in found["edges"] if edge["from"] < edge["to"]}

    counted = {to: [(w["name"], w["replicas"], w["availableReplicas"]) for w in waits[to]] for to in ("1", "promote")}
    assert {"1": [("podinfo-canary", 2, 1)], "promote": [("podinfo", 2, 1)]} == counted
    assert "canary 1 of 2 ready" in run("plan", *asked[:-2]).stdout
