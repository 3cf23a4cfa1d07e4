"""A small package in two files: a Deployment, a Service, an Ingress, and a rollout in two steps."""

from pathlib import Path

APP = """\
# What users reach.
apiVersion: apps/v1
kind: Deployment
metadata:
  name: echo
  namespace: demo
spec:
  replicas: 5 # enough for a Monday
  selector:
    matchLabels:
      app: echo
  template:
    metadata:
      labels:
        app: echo
    spec:
      containers:
        - name: echo
          image: example.com/echo:1.0
---
apiVersion: v1
kind: Service
metadata:
  name: echo
  namespace: demo
spec:
  selector:
    app: echo
  ports:
    - port: 80
      targetPort: 8080
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: echo
  namespace: demo
spec:
  ingressClassName: nginx
  rules:
    - host: echo.example.com
      http:
        paths:
          - path: /
            pathType: Prefix
            backend:
              service:
                name: echo
                port:
                  number: 80
"""

ROLLOUT = """\
apiVersion: rollouts.kruise.io/v1beta1
kind: Rollout
metadata:
  name: echo
  namespace: demo
spec:
  workloadRef:
    apiVersion: apps/v1
    kind: Deployment
    name: echo
  strategy:
    canary:
      enableExtraWorkloadForCanary: true
      steps:
        - traffic: 5%
          replicas: 1
          pause: {}
        - traffic: 50%
          replicas: 50%
          pause:
            duration: 30
      trafficRoutings:
        - service: echo
          ingress:
            classType: nginx
            name: echo
"""

STEP = """\
apiVersion: krmfn.dev/v1alpha1
kind: RolloutStep
metadata:
  name: echo
spec:
  step: 1
  target:
    images:
      - name: example.com/echo
        newTag: "1.1"
"""

KUSTOMIZATION = """\
resources:
  - app.yaml
"""

NEW = "example.com/echo=example.com/echo:1.1"


def write(folder: Path, **files: str) -> Path:
    """Write the package, and other files (``a__b`` is a.b) beside or instead of its own, and return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in {"app__yaml": APP, "rollout__yaml": ROLLOUT, **files}.items():
        (folder / name.replace("__", ".")).write_text(text)
    return folder


def contents(folder: Path) -> dict[str, str]:
    """Return every file below a folder: name to text."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and ".git" not in path.parts)
    return {path.relative_to(folder).as_posix(): path.read_text() for path in files}
