"""Writes new texts for the pictures of a data set: as DALL-E 3's recaptioner does (Betker et al. 2023), and fused with
the old text as in CapsFusion (Yu et al. 2023, arXiv:2310.20550).

1. DALL-E 3 keeps some old texts, so that a model still learns how people write: `share` is the part that gets a new one,
   chosen by the picture's hash.
2. `seen`: a captioner describes the picture; of several captions the embedder takes the one that fits best.
3. `fused`: a writer joins the old text, which may hold names and facts, with what was seen; a sentence that names a
   thing which neither of them names is refused, and what was seen stands, with a note.

Limits: facts of the old text that no picture shows cannot be checked; a fused text repeats them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from socratic import consult
from socratic.ask import ask
from socratic.capability import Captioner, Embedder, Writer
from socratic.claims import claims
from socratic.errors import BadInput, ReplyError, SocraticError
from socratic.eyes import Eyes
from socratic.pairs import Pair
from socratic.prompt import load
from socratic.recipe import recipe
from socratic.tasks import Describe
from socratic.transcript import Transcript

HEAT = 0.9


@dataclass(frozen=True)
class Recaption:
    """The new text, what was seen, the old text, and a note where the new one is not what was asked for."""

    text: str
    seen: str
    old: str
    changed: bool
    note: str
    transcript: Transcript = field(repr=False, compare=False)

    def say(self) -> str:
        return self.text

    def as_dict(self) -> dict[str, Any]:
        return {"text": self.text, "seen": self.seen or None, "old": self.old, "changed": self.changed, "note": self.note}  # fmt: skip


@recipe
def recaption(
    pair: Pair,
    *,
    method: Literal["seen", "fused"] = "seen",
    n: int = 1,
    share: float = 1.0,
    words: int = 40,
    seed: int = 0,
    captioner: Captioner,
    embedder: Embedder,
    writer: Writer,
    talk: Transcript,
) -> Recaption:
    """Writes a new text for a picture.

    Args:
        pair: a picture and its old text, which may be empty.
        method: `seen`: a caption; `fused`: the caption joined with the old text.
        n: how many captions are made, of which the best fitting one is taken.
        share: the part of a data set that gets new texts, in [0, 1]; the others keep theirs.
        words: the longest fused text.
        seed: makes the sampling of several captions repeatable.
    """
    if n < 1 or not 0 <= share <= 1 or method not in ("seen", "fused"):
        raise BadInput(f"n={n}, share={share:g}, method={method!r} cannot be used", hint="n >= 1, share in [0, 1], seen or fused")  # fmt: skip
    if pair.text.strip() and int(pair.picture.sha256[:8], 16) / 16**8 >= share:
        return Recaption(pair.text, "", pair.text, False, "one of those that keep their text", talk)
    seen = _seen(pair, n, seed, captioner, embedder, talk)
    if method == "seen" or not pair.text.strip():
        return Recaption(seen, seen, pair.text, seen != pair.text, "", talk)
    try:
        text = ask(talk, writer, load("filter.fuse"), "fused", text=pair.text, seen=seen, most_words=words)
    except ReplyError as error:
        return Recaption(seen, seen, pair.text, True, f"not fused: {error.message}", talk)
    if invented := _invented(text, pair.text, seen):
        return Recaption(seen, seen, pair.text, True, f"not fused: it invented {', '.join(invented)}: {text}", talk)
    return Recaption(text, seen, pair.text, text != pair.text, "", talk)


def _seen(pair: Pair, n: int, seed: int, captioner: Captioner, embedder: Embedder, talk: Transcript) -> str:
    """The likeliest caption, or of several the one that fits best; all are made in one batch."""
    asked = [Describe(pair.picture, temperature=HEAT if i else 0.0, seed=seed * 1000 + i, repeat=i) for i in range(n)]
    said = consult.describe(talk, captioner, asked, [f"caption {i + 1}" for i in range(n)])
    texts = list(dict.fromkeys(s.text for s in said if not isinstance(s, SocraticError) and s.text.strip()))
    if not texts:
        raise next(
            (s for s in said if isinstance(s, SocraticError)), ReplyError("the captioner said nothing", reply="")
        )
    return texts[0] if len(texts) == 1 else Eyes(embedder, pair.picture, talk).judge("best caption", texts).text


def _invented(text: str, *sources: str) -> list[str]:
    """Things that the text names and no source does, word by word."""
    known = {word for source in sources for claim in claims(source) for word in claim.noun.split()}
    known |= {word.strip(".,;:!?\"'()").lower() for source in sources for word in source.split()}
    return [c.noun for c in claims(text) if not c.denied and not set(c.noun.split()) <= known]
