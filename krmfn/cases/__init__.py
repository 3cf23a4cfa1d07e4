"""Scripts that divide traffic, held to the cases that stand beside them, in every layout in which people write them.

    <group>/<Kind>[/<class>]/render.lua        a provider of ours; cases/*.yaml beside it, see lua/README.md
    <group>/<Kind>/trafficRouting.lua          testdata/*.yaml beside it
    trafficrouting_ingress/<class>.lua         testdata/*.yaml beside it; each says for which class it is

The two below are written for a controller, and so are their cases: a rollout or a routing, the object as it was, and
what it has to be at each step.
"""

from krmfn.cases.found import verdicts
from krmfn.cases.verdict import BARE, FAILED, KEPT, Verdict

__all__ = ["BARE", "FAILED", "KEPT", "Verdict", "verdicts"]
