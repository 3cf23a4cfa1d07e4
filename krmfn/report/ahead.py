"""The next commit of a release as a unified diff: what a pull request is about."""

from krmfn.report.difference import unified

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from krmfn.report.outlook import Commit, Outlook

# What fits into a comment (65,536 characters on GitHub) beside the plan.
MOST = 40_000
FENCE = "````"


def following(outlook: "Outlook") -> "tuple[str, Commit] | None":
    """Return where the rollout stands (0 where nobody has said) and the next commit; None where there is none."""
    names = [str(commit.position) for commit in outlook.timeline]
    current = outlook.current or "0"
    if current not in names[:-1] or not outlook.known:
        return None
    return current, outlook.timeline[names.index(current) + 1]


def lines(outlook: "Outlook") -> "Iterator[str]":
    """Yield the diff of the next commit."""
    if found := following(outlook):
        current, commit = found
        for difference in commit.changes or ():
            yield from unified(difference, (current, str(commit.position)))


def folded(outlook: "Outlook") -> str:
    """Return the diff of the next commit as Markdown that is folded; "" where there is none."""
    found = following(outlook)
    if found is None:
        return ""
    text = "\n".join(lines(outlook)).replace(FENCE, "` ` ` `")
    if len(text) > MOST:
        text = f"{text[:MOST].rpartition(chr(10))[0]}\n… and more: krmfn diff shows all of it"
    title = f"<details>\n<summary>What the next commit changes: {found[0]} → {found[1].position}</summary>\n"
    return f"{title}\n{FENCE}diff\n{text}\n{FENCE}\n\n</details>\n"
