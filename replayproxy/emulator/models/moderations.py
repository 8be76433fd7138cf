"""The family of moderations: a few plain words are flagged, and nothing else is.

Order of the categories: of the older models from a recording, of the newer ones from the API's description (example of
`createModeration`).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence

from replayproxy.emulator.answers import Answer
from replayproxy.emulator.asked import Asked
from replayproxy.emulator.chat.ids import numbered
from replayproxy.emulator.family import Routes
from replayproxy.emulator.records import Json, Kind, Record
from replayproxy.emulator.shelf import HEX
from replayproxy.emulator.state import State

__all__ = ["KINDS", "ROUTES", "is_omni", "judged"]

_TEXT_MODEL, _OMNI_MODEL = "text-moderation-007", "omni-moderation-latest"
_TEXT_CATEGORIES = (
    *("sexual", "hate", "harassment", "self-harm", "sexual/minors", "hate/threatening", "violence/graphic"),
    *("self-harm/intent", "self-harm/instructions", "harassment/threatening", "violence"),
)
_OMNI_CATEGORIES = (
    *("harassment", "harassment/threatening", "sexual", "hate", "hate/threatening", "illicit", "illicit/violent"),
    *("self-harm/intent", "self-harm/instructions", "self-harm", "sexual/minors", "violence", "violence/graphic"),
)
#: What is looked for in images, too.
_SEEN = frozenset({"sexual", "self-harm", "self-harm/intent", "self-harm/instructions", "violence", "violence/graphic"})
_VIOLENT = r"kill(?:s|ed|ing)?|murder(?:s|ed|ing)?|stab(?:bed|bing)?|shoot(?:ing)?|massacre|attack(?:ed|ing)?"
_PERSON = r"(?:you|him|her|them|everyone|everybody|people|all)"
#: What flags a text in each category.
_WORDS: Mapping[str, str] = {
    "sexual": r"porn|pornographic|erotic|nude|naked|sex",
    "sexual/minors": r"(?:porn|nude|naked|sex)\w* (?:\w+ ){0,3}(?:child|children|minors?|kids?)",
    "harassment": r"idiots?|stupid|morons?|losers?|pathetic|hate you",
    "harassment/threatening": rf"(?:{_VIOLENT}|hurt|beat) {_PERSON}",
    "hate": r"nazis?|subhuman|vermin|racist",
    "hate/threatening": r"exterminate|genocide",
    "illicit": r"cocaine|heroin|meth|counterfeit|shoplift(?:ing)?|phishing",
    "illicit/violent": r"bombs?|explosives?|grenades?",
    "self-harm": r"suicide|suicidal|self-harm|cut myself|kill myself",
    "self-harm/intent": r"(?:want to|going to|will) (?:die|kill myself|cut myself)",
    "self-harm/instructions": r"how to (?:kill myself|commit suicide|cut myself)",
    "violence": rf"{_VIOLENT}|bombs?|weapons?|torture",
    "violence/graphic": r"gore|gory|behead(?:ed|ing)?|mutilat(?:e|ed|ion)|dismember(?:ed)?",
}
_PATTERNS = {name: re.compile(rf"\b(?:{words})\b") for name, words in _WORDS.items()}


def _no_life(_: State, record: Record) -> None:
    """Nothing is kept of a moderation, and none can be retrieved."""


_TEXT = Kind("text moderation", "modr-", _no_life, 29)
_OMNI = Kind("moderation", "modr-", _no_life, 32, HEX)
KINDS: tuple[Kind, ...] = ()


def is_omni(model: str) -> bool:
    """Whether a model is of the newer ones, which know more categories, and images."""
    return not model.startswith("text-moderation")


def judged(text: str, *, images: int = 0, omni: bool = True, texts: bool = True) -> Json:
    """The verdict on a text and so many images, of which nothing is seen; `texts` says whether there is any text."""
    scores = {name: _score(name, text) for name in (_OMNI_CATEGORIES if omni else _TEXT_CATEGORIES)}
    verdict: Json = {
        "flagged": any(score > 0.5 for score in scores.values()),
        "categories": {name: score > 0.5 for name, score in scores.items()},
        "category_scores": scores,
    }
    if omni:
        kinds = {name: _applied(name in _SEEN and images > 0, texts=texts) for name in scores}
        verdict["category_applied_input_types"] = kinds
    return verdict


def _applied(seen: bool, *, texts: bool) -> list[str]:
    return [*(["text"] if texts else []), *(["image"] if seen else [])]


def _score(category: str, text: str) -> float:
    """Between one in a billion and one in ten thousand; near one for what is looked for."""
    digest = hashlib.blake2b(f"{category}\0{text}".encode("utf-8", "surrogatepass"), digest_size=6).digest()
    share = int.from_bytes(digest) / 2**48
    found = _PATTERNS[category].search(text.lower())
    return float(f"{0.82 + 0.17 * share if found else 10 ** (-9 + 5 * share):.12g}")


def _create(state: State, asked: Asked) -> Answer:
    body = asked.body
    model = body.get("model") or _OMNI_MODEL
    omni = is_omni(model)
    return {
        "id": numbered(state, _OMNI if omni else _TEXT, body).id,
        "model": model if omni else _TEXT_MODEL,
        "results": _results(body["input"], omni=omni),
    }


def _results(given: str | Sequence[str | Json], *, omni: bool) -> list[Json]:
    """A verdict on each text; on parts (text and images) one for all together."""
    if isinstance(given, str):
        return [judged(given, omni=omni)]
    texts = [each for each in given if isinstance(each, str)]
    if len(texts) == len(given):
        return [judged(text, omni=omni) for text in texts]
    said = [part["text"] for part in given if not isinstance(part, str) and part["type"] == "text"]
    return [judged("\n".join(said), images=len(given) - len(said), omni=omni, texts=bool(said))]


ROUTES: Routes = (("createModeration", _create),)
