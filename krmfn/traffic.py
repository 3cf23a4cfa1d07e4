"""Who gets the canary, in nobody's dialect: matches, a weight, changed headers, copies; and by which objects."""

from krmfn.frozen import Value

EXACT, REGEX, PREFIX = "Exact", "RegularExpression", "PathPrefix"


class Condition(Value):
    """One thing a request has to show: ``part`` is header, query, cookie, method (which has no name) or caller.

    A caller is known by a label of its pods, which is the name.
    ``type`` is Exact or RegularExpression.
    """

    part: str
    name: str
    value: str
    type: str = EXACT


class Match(Value):
    """Conditions that all have to hold, and the path of the request where it matters (type and value)."""

    conditions: tuple[Condition, ...] = ()
    path: tuple[str, str] | None = None


class Modifier(Value):
    """What changes in the headers of requests to the canary: (name, value) to set and to add, names to remove."""

    set: tuple[tuple[str, str], ...] = ()
    add: tuple[tuple[str, str], ...] = ()
    remove: tuple[str, ...] = ()


class Mirror(Value):
    """A copy of ``percent`` of the requests goes to the canary as well, and its answer to nobody.

    Of which requests: those that any of ``matches`` describes, all where there is none.
    """

    percent: int = 100
    matches: tuple[Match, ...] = ()

    def __str__(self) -> str:
        """Say it in a few words: ``a copy of 10% of the requests``."""
        return f"a copy of {self.percent}% of {'some' if self.matches else 'the'} requests"


class Sticky(Value):
    """Whoever the weight has sent to the canary stays there: by a cookie of that name, with these attributes.

    ``stable`` is the name of another one, by which those stay whom the weight has sent to the stable side.
    """

    cookie: str
    attributes: str
    stable: str = ""


class Traffic(Value):
    """Who gets the canary: requests that any of ``matches`` describes, and ``weight`` percent of the rest.

    A weight of None says nothing, a weight of 0 is a rule: nobody. Of the requests that no match describes, whoever
    answers them, the canary may get copies (``mirror``). Whoever the weight has sent there may stay (``sticky``).
    """

    weight: int | None = None
    matches: tuple[Match, ...] = ()
    modifier: Modifier | None = None
    mirror: Mirror | None = None
    sticky: Sticky | None = None

    def __bool__(self) -> bool:
        """Tell whether there is a rule at all."""
        return self.weight is not None or bool(self.matches or self.mirror)

    @property
    def reaches(self) -> bool:
        """Tell whether the canary gets any request, be it a copy."""
        return bool(self.weight or self.matches or self.mirror)

    def __str__(self) -> str:
        """Say it in a few words: ``the requests that match, 5% of the rest``."""
        said = ["the requests that match"] if self.matches else []
        if self.weight or not self.matches:
            said.append(f"{self.weight or 0}% of the {'rest' if self.matches else 'requests'}")
        return ", ".join([*said, str(self.mirror)] if self.mirror else said)


class Subsets(Value):
    """The subsets of a Service that both sides share: their names, and the labels that the author gives the stable one.

    Without a name for the stable one every subset is, but for the canary's.
    """

    canary: str = "canary"
    stable: str = ""
    labels: tuple[tuple[str, str], ...] = ()


class Pair(Value):
    """A Service and its name for the canary; ``field`` is where the author named it.

    ``given`` is where the author named the canary's, which then is in the package; "" where we add it. Where both are
    one, ``subsets`` tells the sides apart.
    """

    stable: str
    canary: str
    field: str
    given: str = ""
    subsets: Subsets = Subsets()


class Route(Value):
    """An object that divides traffic: found by group, kind and name, written by the provider of its kind.

    Where that adds one for the canary, ``canary`` is its name, and ``annotations`` are what the author wants on it.
    ``told`` is what only this kind of provider has to be told.
    """

    group: str
    kind: str
    name: str
    variant: str
    services: Pair
    field: str
    canary: str = ""
    annotations: tuple[tuple[str, str], ...] = ()
    told: tuple[tuple[str, str | int], ...] = ()
