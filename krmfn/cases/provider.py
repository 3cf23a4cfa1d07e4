"""A case of a provider of ours: one manifest and one stage in, manifests out, or a refusal."""

from krmfn.cases.verdict import FAILED, INDENT, KEPT, Verdict, unlike
from krmfn.errors import KrmfnError
from krmfn.lua import load
from krmfn.lua.cases import read


def verdict(path: str, text: str, script: tuple[str, str]) -> Verdict:
    """Try a case with a script, which is its name and its source. Raises KrmfnError for what cannot be tried."""
    case = read(path, text, load(*script))
    problem = case.problem()
    if not problem:
        return Verdict(path, KEPT, case.promise)
    try:
        diff = unlike(case.expected, case.actual()) if case.expected is not None else []
    except KrmfnError:
        diff = []
    return Verdict(path, FAILED, case.promise, tuple(diff) or (INDENT + problem.removeprefix(f"{case.promise}: "),))
