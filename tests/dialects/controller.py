"""What the controller of Argo Rollouts does turn by turn with the pods of a canary that has no router.

It decides nothing here: krmfn writes down where it comes to rest. Written from the description of its rules in
``utils/replicaset/canary.go``, to tell which of its recorded turns lead to which resting place.
"""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Pods:
    """One side: how many pods are asked for, and how many of them serve."""

    asked: int
    serving: int

    def held(self, *, whether_or_not_serving: bool) -> int:
        """Return how many pods count when others are to go."""
        return self.asked if whether_or_not_serving else min(self.asked, self.serving)


@dataclass(frozen=True)
class State:
    """Both sides, the pods of versions before those, and the bounds between which all of them are kept."""

    canary: Pods
    stable: Pods
    older: int
    most: int
    least: int


def turn(state: State, canary: int, stable: int) -> tuple[int, int]:
    """Return what is asked of each side next, where ``canary`` and ``stable`` pods are wanted in the end."""
    new, old = state.canary.asked, state.stable.asked
    room = state.most - new - old - state.older
    old += max(0, min(room, stable - old))
    room = state.most - new - old - state.older
    new += max(0, min(room, canary - new))
    if state.older:
        return new, old
    growing = canary >= state.canary.asked
    held = state.canary.held(whether_or_not_serving=not growing) + state.stable.held(whether_or_not_serving=growing)
    spare = held - state.least
    if spare <= 0:
        return new, old
    if growing:
        old = _fewer(state.stable.asked, stable, spare, old)
        return new - _above(state, new, old), old
    new = _fewer(state.canary.asked, canary, spare, new)
    return new, old - _above(state, new, old)


def settled(state: State, canary: int, stable: int) -> tuple[int, int]:
    """Return where turn after turn ends when every pod that is asked for serves before the next."""
    for _ in range(200):
        new, old = turn(state, canary, stable)
        after = replace(state, canary=Pods(new, new), stable=Pods(old, old), older=0)
        if after == state:
            return new, old
        state = after
    message = "it never rests"
    raise AssertionError(message)


def _fewer(asked: int, wanted: int, spare: int, now: int) -> int:
    return max(wanted, asked - spare) if asked > wanted else now


def _above(state: State, new: int, old: int) -> int:
    return max(0, new + old - state.most)


def bounds(surge: int | str | None, unavailable: int | str | None, pods: int) -> tuple[int, int]:
    """Return how many pods more, and how many fewer than ``pods`` there may be: a text is a percentage.

    Raises ValueError for a text that is none.
    """
    more, fewer = _share(surge, pods, up=True), _share(unavailable, pods, up=False)
    return more, 1 if more == fewer == 0 else fewer


def _share(value: int | str | None, pods: int, *, up: bool) -> int:
    if not isinstance(value, str):
        return value or 0
    share = int(value.removesuffix("%")) * pods
    return -(-share // 100) if up else share // 100


@dataclass(frozen=True)
class Threshold:
    """How much of a side is enough: a percentage of what is wanted, or a number of pods."""

    kind: str
    value: int


def ready(pods: Pods, wanted: int, threshold: Threshold | None) -> bool:
    """Tell whether a side is as it is wanted, or at least has what a threshold asks for."""
    if threshold is None or threshold.value < 0:
        return pods.asked == wanted and pods.serving == wanted
    if threshold.kind == "Pods":
        return pods.serving >= threshold.value
    return wanted == 0 or pods.serving * 100 >= threshold.value * wanted


def carries(pods: Pods, share: tuple[int, int, int], threshold: Threshold | None) -> bool:
    """Tell whether a side can serve a share (weight, of all, of so many pods) of the requests."""
    weight, most, total = share
    return pods.serving >= weight * total // most or (threshold is not None and ready(pods, pods.asked, threshold))
