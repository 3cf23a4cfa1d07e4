"""Packages to measure with: the same bytes in every run, and the mix of objects that packages have.

An object is written once, as a person would. In a ResourceList it also has the annotations by which kpt keeps track of
it, and stands behind a dash; for kustomize it is a document of a file.
"""

from __future__ import annotations

from base64 import b64encode
from random import Random
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

HEAD = "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n"
WORDS = ("cache", "limit", "retry", "queue", "token", "index", "batch", "proxy", "timer", "quota")
OLD, NEW = "1.10", "1.11"
FIRST = 'annotations:\n    krmfn.dev/step: "0"\n'

STEP = """\
functionConfig:
  apiVersion: krmfn.dev/v1alpha1
  kind: RolloutStep
  metadata:
    name: step
  spec:
    step: 2
    rollout: {name}
    target:
      images:
      - name: registry.example.com/{name}
        newTag: "{new}"
"""

DEPLOYMENT = """\
# {name} belongs to the team {team}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {name}
  labels:
    app.kubernetes.io/name: {name}
  annotations:
    team: {team}
spec:
  # agreed with the platform team
  replicas: {replicas}
  selector:
    matchLabels:
      app.kubernetes.io/name: {name}
  template:
    metadata:
      labels:
        app.kubernetes.io/name: {name}
    spec:
      serviceAccountName: {name}
      containers:
      - name: main
        image: registry.example.com/{name}:{tag} # set by CI
        command:
        - /bin/sh
        - -c
        - |
          set -eu
          # not a comment of YAML
          exec /app/server --port=8080 \\
            - --mode=fast
        ports:
        - containerPort: 8080
          name: http
        env:
{env}
        resources:
          requests: {{cpu: 100m, memory: 128Mi}}
          limits: {{cpu: "1", memory: 512Mi}}
        readinessProbe:
          httpGet:
            path: /healthz
            port: http
          periodSeconds: 10
"""

SERVICE = """\
apiVersion: v1
kind: Service
metadata:
  name: {name}
  annotations:
    team: {team}
spec:
  type: ClusterIP
  ports:
  - port: 80
    targetPort: http
    protocol: TCP
    name: http
  selector:
    app.kubernetes.io/name: {name}
"""

INGRESS = """\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: {name}
  annotations:
    nginx.ingress.kubernetes.io/proxy-body-size: 8m
spec:
  ingressClassName: nginx
  tls:
  - hosts: [{name}.example.com]
    secretName: {name}-tls
  rules:
  # the public entry
  - host: {name}.example.com
    http:
      paths:
      - path: /
        pathType: Prefix
        backend:
          service:
            name: {name}
            port:
              number: 80
"""

CONFIG = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: {name}
  annotations:
    team: {team}
data:
  enabled: "true"
  app.properties: |
    # generated
{properties}
  panel.json: |
    {{"panels": [{{"title": "it's {team}", "expr": "sum(rate(http_requests_total[5m])) by (job)"}}]}}
  run.sh: |
    if [ "$1" = 'x' ]; then
      echo "several
      lines"
    fi
"""

OPAQUE = """\
apiVersion: v1
kind: Secret
metadata:
  name: {name}
  annotations:
    team: {team}
type: Opaque
data:
  certificate: {data}
"""

ROLLOUT = """\
apiVersion: rollouts.kruise.io/v1beta1
kind: Rollout
metadata:
  name: {name}
  annotations:
    team: {team}
spec:
  workloadRef:
    apiVersion: apps/v1
    kind: Deployment
    name: {name}
  strategy:
    canary:
      enableExtraWorkloadForCanary: true
      steps:
      - replicas: 1
        traffic: 5%
        pause: {{}} # a person decides
      - replicas: 40%
        traffic: 40%
        pause: {{duration: 30}}
      - replicas: 100%
        traffic: 100%
      trafficRoutings:
      - service: {name}
        ingress:
          classType: nginx
          name: {name}
"""

# In the middle of a package; everything else stands around it.
APP = (DEPLOYMENT, SERVICE, INGRESS, ROLLOUT)
SMALL = (*APP, CONFIG, SERVICE)
MIX = (DEPLOYMENT, DEPLOYMENT, SERVICE, SERVICE, CONFIG, CONFIG, INGRESS, OPAQUE)


def filled(template: str, name: str, random: Random) -> str:
    """Return one object; what is not its name is drawn."""
    env = [f'        - name: {word(random).upper()}_{i}\n          value: "{random.random()}"' for i in range(24)]
    lines = [f"    {word(random)}.{i} = {random.random()} # {word(random)}" for i in range(64)]
    return template.format(
        name=name,
        team=word(random),
        tag=OLD,
        replicas=random.randint(2, 9),
        env="\n".join(env[: random.randint(4, 24)]),
        properties="\n".join(lines[: random.randint(8, 64)]),
        data=b64encode(random.randbytes(1200)).decode(),
    )


def word(random: Random) -> str:
    """Draw a word."""
    return random.choice(WORDS)


def small() -> list[str]:
    """Return six objects with one rollout."""
    random = Random(6)  # noqa: S311 - the same numbers in every run
    names = ("web", "web", "web", "web", "settings", "other")
    return [filled(template, name, random) for template, name in zip(SMALL, names, strict=True)]


def large(count: int) -> Iterator[str]:
    """Yield ``count`` objects, with one rollout in the middle: its name is ``web``."""
    random = Random(count)  # noqa: S311
    around = max(count - len(APP), 0)
    for number in range(around):
        if number == around // 2:
            yield from (filled(template, "web", random) for template in APP)
        yield filled(random.choice(MIX), f"{word(random)}-{number}", random)


def rollouts(count: int) -> Iterator[str]:
    """Yield ``count`` rollouts, each with its Deployment, Service and Ingress, at position 0 by annotation."""
    random = Random(count)  # noqa: S311
    for number in range(count):
        for template in APP:
            text = filled(template, f"web-{number}", random)
            yield text.replace("annotations:\n", FIRST) if template is ROLLOUT else text


def onward(listed: str) -> str:
    """Return a list of rollouts as it is for the next commit: at step 1, with a new image in each workload."""
    listed = listed.replace('krmfn.dev/step: "0"', 'krmfn.dev/step: "1"')
    return listed.replace(f":{OLD} # set by CI\n          command:", f":{NEW} # set by CI\n          command:")


def item(document: str, number: int) -> str:
    """Return an object as kpt sends it: behind a dash, with the annotations by which it is found again."""
    places = "".join(
        f"    {family}config.kubernetes.io/{name}: '{value}'\n"
        for family in ("", "internal.")
        for name, value in (("index", number % 7), ("path", f"apps/{number // 7}.yaml"))
    )
    text = document.replace("  annotations:\n", f"  annotations:\n{places}", 1)
    return "- " + "".join(f"  {line}" for line in text.splitlines(keepends=True)).removeprefix("  ")


def write(listed: IO[str], stream: IO[str], documents: Iterable[str], config: str = "") -> int:
    """Write a package as a ResourceList and as a stream, one object after the other; return how many there were."""
    listed.write(HEAD)
    number = 0
    for document in documents:
        listed.write(item(document, number))
        stream.write(f"---\n{document}")
        number += 1
    listed.write(config)
    return number


def step(name: str = "web") -> str:
    """Return the function config that asks for step 2 of a rollout with a new image."""
    return STEP.format(name=name, new=NEW)
