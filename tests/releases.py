"""The echo package on its way through a release, in place, with what people do to it in between."""

from typing import Any

from tests.echoserver import APP, ROLLOUT
from tests.stories import Files, rendered

PACKAGE: Files = {"app.yaml": APP.encode(), "rollout.yaml": ROLLOUT.encode()}
IMAGE: dict[str, Any] = {"target": {"images": [{"name": "example.com/echo", "newTag": "1.1"}]}}

# The same with labels by which the versions differ, so that the stable Service is pinned.
LABELLED = {
    name: data.replace(b"        app: echo\n", b"        app: echo\n        tier: web\n        version: v1\n")
    for name, data in PACKAGE.items()
}
LABEL: dict[str, Any] = {
    "target": {"patches": [{"patch": "spec: {template: {metadata: {labels: {version: v2}}}}"}]},
}


def at(files: Files, position: str, spec: dict[str, Any] = IMAGE, **more: Any) -> Files:
    """Render, which has to succeed, and return the files."""
    after, outcome = rendered(files, {"step": position, **spec, **more})
    assert not outcome.failed, [result.line() for result in outcome.results]
    return after


def said(
    files: Files, position: str, spec: dict[str, Any] = IMAGE, *, severity: str = "error", **more: Any
) -> list[str]:
    """Render and return what was said with a severity, in the words of one line; an error leaves the files alone."""
    after, outcome = rendered(files, {"step": position, **spec, **more})
    assert after == files or not outcome.failed
    return [result.line() for result in outcome.results if result.severity == severity]


def edited(files: Files, name: str, old: str, new: str) -> Files:
    """Change a file by hand, at the first place where a text stands."""
    text = files[name].decode()
    assert old in text, text
    return files | {name: text.replace(old, new, 1).encode()}
