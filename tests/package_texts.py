"""Generated files: objects as people write them, together or apart, in block or flow style, with comments."""

import json
from typing import Any

from hypothesis import strategies as st

from krmfn import krm

ENDS = (":", "Deployment", "Service", "Ingress", "Rollout", "Set", "Route", "Routing")


@st.composite
def files(draw: st.DrawFn, objects: list[dict[str, Any]]) -> dict[str, bytes]:
    """Write the objects into one file or several, in block or flow style, with comments, in either line ends."""
    together = draw(st.booleans())
    found: dict[str, bytes] = {}
    texts = [draw(_text(value)) for value in objects]
    if together:
        found["app.yaml"] = "---\n".join(texts).encode()
    else:
        for number, text in enumerate(texts):
            found[f"{draw(st.sampled_from(('', 'base/')))}{number}.yaml"] = text.encode()
    ends = draw(st.sampled_from((b"\n", b"\n", b"\r\n")))
    return {name: data.replace(b"\n", ends) for name, data in found.items()}


@st.composite
def _text(draw: st.DrawFn, value: dict[str, Any]) -> str:
    style = draw(st.integers(0, 5))
    if style == 0:
        return json.dumps(value, indent=draw(st.sampled_from((None, 2)))) + "\n"
    lines = krm.dump(value).splitlines()
    out = []
    for line in lines:
        if line.rstrip().endswith(ENDS) and style == 1:
            out.append(f"{' ' * (len(line) - len(line.lstrip()))}# about {line.strip().lstrip('- ')}")
        out.append(f"{line} # here" if line.rstrip().endswith(ENDS) and style == 2 and "|" not in line else line)
    return "\n".join(out) + "\n"
