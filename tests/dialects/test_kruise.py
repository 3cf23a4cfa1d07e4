"""How many pods a step of a Kruise Rollout is, for each kind of workload: the arithmetic of its controllers."""

from typing import Any

import pytest

from krmfn import krm
from tests.stories import rendered

API = {"CloneSet": "apps.kruise.io/v1alpha1"}
TARGET = {"images": [{"name": "shop/web", "newTag": "2"}]}


def shop(kind: str, replicas: int, step: int | str, *, extra: bool) -> dict[str, bytes]:
    """Return a workload and a rollout with one step."""
    api_version = API.get(kind, "apps/v1")
    template = {
        "metadata": {"labels": {"app": "web"}},
        "spec": {"containers": [{"name": "web", "image": "shop/web:1"}]},
    }
    spec = {"replicas": replicas, "selector": {"matchLabels": {"app": "web"}}, "template": template}
    canary = {"steps": [{"replicas": step}, {"replicas": "100%"}]}
    reference = {"apiVersion": api_version, "kind": kind, "name": "web"}
    objects = [
        {"apiVersion": api_version, "kind": kind, "metadata": {"name": "web"}, "spec": spec},
        {
            "apiVersion": "rollouts.kruise.io/v1beta1",
            "kind": "Rollout",
            "metadata": {"name": "web"},
            "spec": {
                "workloadRef": reference,
                "strategy": {"canary": canary | {"enableExtraWorkloadForCanary": extra}},
            },
        },
    ]
    if isinstance(step, int):
        canary["steps"].pop()
    return {"app.yaml": "---\n".join(krm.dump(manifest) for manifest in objects).encode()}


def specs(kind: str, replicas: int, step: int | str, *, extra: bool = False) -> dict[str, Any]:
    """Return the specs of the workloads at the first step, by name."""
    files, outcome = rendered(shop(kind, replicas, step, extra=extra), {"step": "1", "target": TARGET})
    assert not outcome.failed, outcome.results
    items = krm.read_files(files.items()).items
    return {item.ref.name: item.value["spec"] for item in items if item.ref.kind == kind}


@pytest.mark.parametrize(
    ("replicas", "step", "expected"),
    [
        (10, "5%", (1, 1, "90%", 9)),
        (10, "33%", (4, 4, "60%", 6)),
        (10, "91%", (10, 9, "0%", 0)),
        (10, "99%", (10, 9, "0%", 0)),
        (10, "100%", (10, 10, "0%", 0)),
        (10, 3, (3, 3, 7, 7)),
        (10, 50, (10, 10, 0, 0)),
        (3, "1%", (1, 1, "66%", 2)),
        (3, "50%", (2, 2, "33%", 1)),
        (1, "50%", (1, 1, "0%", 0)),
        # A share that would miss the number of old pods is written as that number.
        (101, "99%", (100, 100, 1, 1)),
        (102, "49%", (50, 50, 52, 52)),
    ],
)
def test_a_step_is_as_many_pods_as_its_controller_would_have_made_it(
    replicas: int, step: int | str, expected: tuple[int, int, int | str, int]
) -> None:
    """A second Deployment, batches of a Deployment, a CloneSet and a StatefulSet: pods that are new, or stay old."""
    canary = specs("Deployment", replicas, step, extra=True)["web-canary"]["replicas"]
    batches = [specs("Deployment", replicas, step)[name]["replicas"] for name in ("web", "web-canary")]
    clone_set = specs("CloneSet", replicas, step)["web"]["updateStrategy"]["partition"]
    stateful_set = specs("StatefulSet", replicas, step)["web"]["updateStrategy"]["rollingUpdate"]["partition"]
    assert sum(batches) == replicas
    assert expected == (canary, batches[1], clone_set, stateful_set)
