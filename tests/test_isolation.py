"""How the pods of the two sides are told apart: which mode can be had, and what Services and selectors say then."""

from typing import Any

import pytest
import yaml

from krmfn.errors import KrmfnError
from krmfn.isolation import Isolation, Sides, canary_selector, canary_template, choose, service_selector, short
from krmfn.kinds import PARTITION, TWIN
from krmfn.krm.item import Ref
from krmfn.plan import Amount, Gate, Pair, Plan, Step, Traffic
from krmfn.selectors import chooses
from tests.releases import IMAGE, LABEL, LABELLED, PACKAGE, at, edited, said
from tests.stories import Files

REF = Ref("apps/v1", "Deployment", "", "web")
SELECTOR = {"app": "web"}


def template(**labels: str) -> dict[str, Any]:
    """Return a pod template."""
    return {"metadata": {"labels": {"app": "web", **labels}}}


def sides(*weights: int | None, style: str = TWIN, **more: Any) -> Sides:
    """Return two sides whose steps have such weights."""
    steps = tuple(Step(Amount(1), Traffic(weight), Gate(), f"steps[{n}]") for n, weight in enumerate(weights))
    plan = Plan(REF, REF, "x", style, steps, services=(Pair("web", "web-canary", "y"),))
    given = {"stable": template(), "target": template(), "selector": SELECTOR, "services": (("web", SELECTOR),)}
    return Sides(plan, **(given | more))


VERSIONS = {"stable": template(version="v1"), "target": template(version="v2")}
RENAMED = Isolation("rename", "app", "web", "web-canary")
LABELS = Isolation("label", "version", "v1", "v2")
OTHER_LABEL = {"stable": template(track="a"), "target": template(track="b")}

CHOICES: dict[str, tuple[str, Sides, Isolation]] = {
    "no step divides": ("auto", sides(None, None), Isolation("shared", "krmfn.dev/track", "", "canary")),
    "within one object": ("auto", sides(None, style=PARTITION), Isolation("shared", "", "", "canary")),
    "versions differ": ("auto", sides(5, None, **VERSIONS), LABELS),
    "versions differ, within one object": ("auto", sides(5, style=PARTITION, **VERSIONS), LABELS),
    "every step divides": ("auto", sides(5, 0), RENAMED),
    "the version is in a selector": (
        "auto",
        sides(5, services=(("web", SELECTOR | {"version": "v1"}),), **VERSIONS),
        RENAMED,
    ),
    "the version is in the workload's": ("auto", sides(5, selector=SELECTOR | {"version": "v1"}, **VERSIONS), RENAMED),
    "chosen": ("track", sides(5), Isolation("track", "krmfn.dev/track", "stable", "canary")),
    "chosen, though another can": ("rename", sides(5, **VERSIONS), RENAMED),
}


@pytest.mark.parametrize(("asked", "given", "found"), CHOICES.values(), ids=CHOICES)
def test_the_first_that_can_be_had(asked: str, given: Sides, found: Isolation) -> None:
    """In the order shared, label, rename; track only where somebody chose it."""
    assert found == choose(asked, given, adopted=False)


def test_pods_that_were_stamped_stay_tracked() -> None:
    """Once the stamp is in the cluster it is what tells the sides apart."""
    assert choose("auto", sides(5, **VERSIONS), adopted=True).mode == "track"


IMPOSSIBLE: dict[str, tuple[str, Sides, str]] = {
    "shared": ("shared", sides(None, 5), r"isolation shared cannot be: steps\[1\] has a traffic rule"),
    "label": ("label", sides(5), "isolation label cannot be: no label such as version differs"),
    "rename without a rule": (
        "rename",
        sides(5, None),
        r"steps\[1\] has no traffic rule, so its pods would get no req",
    ),
    "rename of another label": (
        "rename",
        sides(5, services=(("web", {"x": "y"}),)),
        "no label of the pods is in the wor",
    ),
    "rename within one object": ("rename", sides(5, style=PARTITION), "both sides are pods of one workload"),
    "nothing": ("auto", sides(5, None), "set a version label .*, or let `isolation: track`"),
    "nothing, where there are fields for it": (
        "auto",
        sides(5, None).replace(plan=sides(5, None).plan.replace(labelled="one and other")),
        "write a label into one and other, with another value in each, or let `isolation: track`",
    ),
}


@pytest.mark.parametrize(("asked", "given", "message"), IMPOSSIBLE.values(), ids=IMPOSSIBLE)
def test_what_cannot_be_had_says_why(asked: str, given: Sides, message: str) -> None:
    """An error says what stands in the way, and where nothing can, what to do."""
    with pytest.raises(KrmfnError, match=message):
        choose(asked, given, adopted=False)


@pytest.mark.parametrize(("asked", "given", "found"), CHOICES.values(), ids=CHOICES)
def test_selectors_choose_their_own_side(asked: str, given: Sides, found: Isolation) -> None:
    """The canary's Service reaches the canary alone, its workload owns its pods, and no selector holds a digest."""
    del asked
    pods = canary_template(given.target, found, given.plan)["metadata"]["labels"]
    selector = canary_selector({"matchLabels": given.selector}, found)
    assert chooses(selector, pods) or given.selector.keys() - {"app"}
    service = service_selector(SELECTOR, found, canary=True) if found.key else SELECTOR
    assert service.items() <= pods.items()
    if found.mode in ("label", "rename"):
        assert not service.items() <= given.stable["metadata"]["labels"].items()


AFFINITY = """\
podAntiAffinity:
  requiredDuringSchedulingIgnoredDuringExecution:
    - topologyKey: zone
      labelSelector: {matchLabels: {app: web}, matchExpressions: [{key: app, operator: In, values: [web, db]}]}
    - topologyKey: zone
      labelSelector: {matchLabels: {app: db}}
"""


def test_renamed_pods_keep_their_distance_from_each_other() -> None:
    """The canary's own affinity and spread terms follow its name; those about others stay."""
    spec = {
        "affinity": yaml.safe_load(AFFINITY),
        "topologySpreadConstraints": [{"labelSelector": {"matchLabels": SELECTOR}}],
    }
    made = canary_template(template() | {"spec": spec}, RENAMED, sides(5).plan)["spec"]
    own, other = made["affinity"]["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    assert own["labelSelector"] == {
        "matchLabels": {"app": "web-canary"},
        "matchExpressions": [{"key": "app", "operator": "In", "values": ["web-canary", "db"]}],
    }
    assert other["labelSelector"] == {"matchLabels": {"app": "db"}}
    assert made["topologySpreadConstraints"] == [{"labelSelector": {"matchLabels": {"app": "web-canary"}}}]


def test_long_names_are_shortened_and_stay_different() -> None:
    """Within the limit, of what a label may hold, and never the same for two."""
    names = [short(f"{'x' * 60}-{tail}-canary") for tail in "ab"]
    assert [63, 63] == [len(name) for name in names]
    assert len(set(names)) == 2
    assert short("web") == "web"


def selectors(files: Files) -> dict[str, Any]:
    """Return the selector of each Service."""
    documents = [o for data in files.values() for o in yaml.safe_load_all(data)]
    return {o["metadata"]["name"]: o["spec"]["selector"] for o in documents if o["kind"] == "Service"}


OTHER = b"""\
apiVersion: v1
kind: Service
metadata:
  name: admin
  namespace: demo
spec:
  selector: {app: echo}
"""
PIN = b'  annotations: {krmfn.dev/pin: "true"}\n'


def test_other_services_are_named_or_pinned() -> None:
    """One that also reaches the canary is a warning, and is pinned as well where its author says so."""
    files = LABELLED | {"admin.yaml": OTHER}
    [warning] = said(files, "1", LABEL, severity="warning")
    assert "Service demo/admin spec.selector: also selects the canary's pods; annotate it krmfn.dev/pin" in warning
    files["admin.yaml"] = OTHER.replace(b"spec:\n", PIN + b"spec:\n")
    assert [] == said(files, "1", LABEL, severity="warning")
    stable, canary = {"app": "echo", "version": "v1"}, {"app": "echo", "version": "v2"}
    assert {"admin": stable, "echo": stable, "echo-canary": canary} == selectors(at(files, "1", LABEL))
    assert {"admin": {"app": "echo"}, "echo": {"app": "echo"}, "echo-canary": canary} == selectors(
        at(files, "promote", LABEL)
    )
    renamed = said(PACKAGE | {"admin.yaml": OTHER}, "1", severity="warning")
    assert "selects the stable pods, and not the canary's (app=echo-canary), so it never" in "".join(renamed)


POLICIES = """\
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: echo, namespace: demo}
spec: {minAvailable: 1, selector: {matchLabels: {app: echo}}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: echo, namespace: demo}
spec: {podSelector: {matchExpressions: [{key: app, operator: In, values: [echo]}]}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: all, namespace: demo}
spec: {podSelector: {matchExpressions: [{key: app, operator: Exists}, {key: echo, operator: DoesNotExist}]}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: echo, namespace: other}
spec: {podSelector: {}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: echo-later, namespace: demo}
spec:
"""


def test_what_protects_stable_pods_only_is_named() -> None:
    """Budgets and policies that a renamed canary falls out of are warnings; those that choose both are not."""
    warnings = said(PACKAGE | {"policies.yaml": POLICIES.encode()}, "1", severity="warning")
    assert [
        "NetworkPolicy demo/echo spec.podSelector: applies to the stable pods, and not the canary's",
        "PodDisruptionBudget demo/echo spec.selector: protects the stable pods, and not the canary's",
    ] == [line.removeprefix("warning: ").partition(" (")[0] for line in warnings]


def test_track_is_stamped_before_it_is_selected_on() -> None:
    """At 0 the pods get the stamp; a Service selects on it only where the state shows that, or the config says so."""
    track: dict[str, Any] = {**IMAGE, "isolation": "track"}
    [error] = said(PACKAGE, "1", track)
    assert (
        "isolation track needs its stamp on the running pods before a Service may select on it: render step 0" in error
    )
    stamped = at(PACKAGE, "0", track)
    assert b"krmfn.dev/track: stable" in stamped["app.yaml"]
    assert selectors(stamped) == {"echo": {"app": "echo"}}
    for files in (at(stamped, "1", track), at(PACKAGE, "1", track, adopted=True)):
        found = selectors(files)
        assert {"krmfn.dev/track": "stable", "app": "echo"} == found["echo"]
        assert {"krmfn.dev/track": "canary", "app": "echo"} == found["echo-canary"]


def test_a_stamp_that_is_there_stays() -> None:
    """Where the config says that pods have it no position takes it away, which would start them all anew."""
    for position in ("0", "1", "promote", "complete"):
        assert b"krmfn.dev/track: stable" in at(PACKAGE, position, IMAGE, adopted=True)["app.yaml"]


def test_the_mode_stays_until_the_release_ends() -> None:
    """Asking for another in the middle is an error, and the annotation of the rollout is asked as well."""
    files = at(PACKAGE, "1")
    [error] = said(files, "1", isolation="track")
    assert "isolation track was asked for while a release with isolation rename is under way; go to 0 first" in error
    line = "metadata:\n  annotations: {krmfn.dev/isolation: %s}\n"
    for word, message in (("shared", "isolation shared cannot be"), ("hash", "'hash' is none of auto, shared")):
        [error] = said(edited(PACKAGE, "rollout.yaml", "metadata:\n", line % word), "1")
        assert message in error


CLAIM = """\
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: disk, namespace: demo}
spec: {accessModes: [%s]}
"""
DISK = (
    "      volumes: [{name: d, persistentVolumeClaim: {claimName: disk}}, {name: e, emptyDir: {}}]\n      containers:\n"
)


def test_pods_that_cannot_run_twice_are_refused() -> None:
    """A volume that one node may mount would keep the canary from ever being ready; one for many does not."""
    files = edited(PACKAGE, "app.yaml", "      containers:\n", DISK)
    [error] = said(files | {"disk.yaml": (CLAIM % "ReadWriteOnce").encode()}, "1")
    assert "mounts the claim disk, which only one node may mount" in error
    assert [] == said(files | {"disk.yaml": (CLAIM % "ReadWriteMany").encode()}, "1")
