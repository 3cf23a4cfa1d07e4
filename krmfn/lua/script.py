"""A script that writes routes, and the words for what it can express."""

from krmfn.frozen import Value

PROVIDER, INGRESS, CUSTOM = "provider", "ingress", "custom"

FEATURES = (
    "weight",
    "header.exact",
    "header.regex",
    "cookie.exact",
    "cookie.regex",
    "cookie.sticky",
    "query.exact",
    "query.regex",
    "path.exact",
    "path.prefix",
    "path.regex",
    "method.exact",
    "method.regex",
    "caller.exact",
    "matches.many",
    "conditions.many",
    "weight+matches",
    "headerModifier",
    "mirror",
    "mirror.matches",
)


class Script(Value):
    """One Lua script.

    ``supports`` holds words of FEATURES. ``trusted``: it is one of ours and runs in this process; anybody else's runs
    in a child process with limits. ``shape`` says how it is called: ``provider`` (ours: a manifest and a stage in,
    manifests out), ``ingress`` and ``custom`` (Kruise's two). ``reads`` says what it reads of a manifest, in the words
    of ``krmfn.lua.shape``; "" where that is not known.
    """

    name: str
    source: str
    supports: frozenset[str]
    trusted: bool
    shape: str
    reads: str = ""
