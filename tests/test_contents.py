"""ConfigMaps and Secrets that change under their names."""

from typing import Any

import pytest

from krmfn import krm
from krmfn.function import Rendered, render
from tests.stories import config

APP = """apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - name: web
        image: example.com/web:1
        envFrom: [{configMapRef: {name: page}}, {secretRef: {name: key}}]
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: page}
data: {color: blue}
---
apiVersion: v1
kind: Secret
metadata: {name: key}
data: {password: b2xk}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: web}
spec: {defaultBackend: {service: {name: web, port: {number: 80}}}}
"""
ROLLOUT = """apiVersion: rollouts.kruise.io/v1beta1
kind: Rollout
metadata: {name: web}
spec:
  workloadRef: {apiVersion: apps/v1, kind: Deployment, name: web}
  strategy:
    canary:
      enableExtraWorkloadForCanary: true
      trafficRoutings: [{service: web, ingress: {classType: nginx, name: web}}]
      steps: [{replicas: 1, traffic: 20%}]
"""
NOW = APP.replace("color: blue", "color: green").replace("b2xk", "bmV3")
CONTENT = ("data", "stringData")


def shown(now: str, was: str, position: str = "1", **spec: Any) -> Rendered:
    """Render a package at a position, with another one that says what runs."""
    package, stable = (krm.read_files([("app.yaml", text.encode()), *rollout]) for text, rollout in (
        (now, [("rollout.yaml", ROLLOUT.encode())]),
        (was, []),
    ))  # fmt: skip
    return render(package, config({"step": position, "configs": "versioned"} | spec), stable)


def contents(outcome: Rendered) -> dict[str, Any]:
    """Return what each changed or new ConfigMap and Secret says."""
    items = [item for items in outcome.changes.values() for item in items]
    values = [item.value for item in items if item.ref.kind in ("ConfigMap", "Secret")]
    return {f"{v['kind']} {v['metadata']['name']}": next(v[key] for key in CONTENT if key in v) for v in values}


def test_the_manifests_of_what_runs_say_what_stable_pods_read() -> None:
    """Without a state the old content comes from them, and the canary's copy from the package."""
    assert contents(shown(NOW, APP)) == {
        "ConfigMap page": {"color": "blue"},
        "ConfigMap page-canary": {"color": "green"},
        "Secret key": {"password": "b2xk"},
        "Secret key-canary": {"password": "bmV3"},
    }


@pytest.mark.parametrize("position", ["promote", "finalise"])
def test_from_promote_on_both_sides_read_the_new_content(position: str) -> None:
    """The author's objects are as the author wrote them, and the canary keeps its copies as long as it runs."""
    assert contents(shown(NOW, APP, position)) == {
        "ConfigMap page": {"color": "green"},
        "ConfigMap page-canary": {"color": "green"},
        "Secret key": {"password": "bmV3"},
        "Secret key-canary": {"password": "bmV3"},
    }


def test_what_has_not_changed_is_not_copied() -> None:
    """An object with the same content is read by both sides."""
    assert contents(shown(APP.replace("web:1", "web:2"), APP)) == {}


def said(outcome: Rendered) -> list[str]:
    """Return the findings that are no infos."""
    return [f"{r.severity}: {r.ref} {r.field}: {r.message}" for r in outcome.results if r.severity != "info"]


def test_without_versions_the_change_is_named() -> None:
    """Pods of both versions get the new content, and somebody should know."""
    outcome = shown(NOW.replace("web:1", "web:2"), APP, configs="shared")
    assert contents(outcome) == {}
    assert [line[:52] for line in said(outcome)] == [
        "warning: ConfigMap page data: has changed under its ",
        "warning: Secret key data: has changed under its name",
    ]


REFUSED = {
    "immutable": (
        [("data: {color: blue}", "data: {color: blue}\nimmutable: true")],
        "error: ConfigMap page immutable: has changed and is immutable, so the API server refuses it",
    ),
}


@pytest.mark.parametrize(("edits", "message"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_change_is_refused(edits: list[tuple[str, str]], message: str) -> None:
    """It says what to do instead."""
    was = APP
    for old, new in edits:
        was = was.replace(old, new)
    [error] = said(shown(NOW, was))
    assert error.startswith(message)


def test_pods_of_one_object_have_one_content() -> None:
    """Within one object there is one template, and it names one ConfigMap; nobody is told otherwise."""
    now, was = (
        text.replace("apps/v1\nkind: Deployment", "apps.kruise.io/v1alpha1\nkind: CloneSet") for text in (NOW, APP)
    )
    rollout = ROLLOUT.replace("apps/v1, kind: Deployment", "apps.kruise.io/v1alpha1, kind: CloneSet")
    rollout = rollout.replace("      enableExtraWorkloadForCanary: true\n", "")
    files = {"app.yaml": now.encode(), "rollout.yaml": rollout.encode()}
    stable = krm.read_files([("app.yaml", was.encode())])
    outcome = render(krm.read_files(files.items()), config({"step": "1", "configs": "versioned"}), stable)
    [error] = said(outcome)
    assert "has changed under its name, and both versions are pods of one object; give it a new name" in error
    files["app.yaml"] = now.replace("web:1", "web:2").encode()
    spec = {"step": "1", "isolation": "track", "adopted": True}
    outcome = render(krm.read_files(files.items()), config(spec), stable)
    assert ["; give it a new name"] * 2 == [line[line.rindex(";") :] for line in said(outcome)]


def test_an_encrypted_secret_is_named() -> None:
    """Nobody here can read it, so nobody can tell whether it changed."""
    sealed = NOW.replace("kind: Secret\n", "kind: Secret\nsops: {mac: x}\n")
    assert "warning: Secret key sops: is encrypted" in "\n".join(said(shown(sealed, APP)))
