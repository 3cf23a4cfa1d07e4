"""Session affinity: a cookie, whose value is a digest of the rollout and of what it releases, never a random one."""

from krmfn.plan import Sticky

TYPE_CHECKING = False
if TYPE_CHECKING:
    from krmfn.dialects.flagger.reader import Reader

DAY = 86400
FLAGS = {"httpOnly": "HttpOnly", "partitioned": "Partitioned"}
SAME_SITE = ("Strict", "Lax", "None")


def sticky(reader: "Reader") -> Sticky | None:
    """Return how visitors stay with the canary, None where they need not."""
    place = reader.analysis.mapping("sessionAffinity")
    if not place:
        return None
    name = place.text("cookieName", required=True)
    stable = place.text("primaryCookieName")
    for key, text in (("cookieName", name), ("primaryCookieName", stable)):
        if not all(letter.isalnum() or letter in "-_" for letter in text):
            place.at(key).problem(f"{text!r} has other characters than letters, digits, - and _")
    if stable and stable == name:
        place.at("primaryCookieName").problem("is the name of the canary's cookie as well; each side needs its own")
    age = place.whole("maxAge")
    said = [f"Max-Age={DAY if age is None else age}"]
    said += [f"Domain={place.text('domain')}"] if place.has("domain") else []
    said += [word for key, word in FLAGS.items() if place.flag(key)]
    said += [f"Path={place.text('path')}"] if place.has("path") else []
    said += [f"SameSite={place.text('sameSite', choices=SAME_SITE)}"] if place.has("sameSite") else []
    said += ["Secure"] if place.flag("secure") else []
    return Sticky(name, "; ".join(said), stable)
