r"""What a secret looks like: the redaction rules and the placeholders.

Rules of this table:
1. One entry per kind of place, with a name by which it can be switched off.
2. Every pattern has an end: no repetition without an upper bound, none that can match the same text in two ways.
3. A pattern starts with a literal, so that looking for it costs a scan for that literal and nothing more. What must
   stand before it is asked for afterwards, by a look-behind that spans the literal.
4. No pattern reaches into a placeholder; so redacting what is redacted changes nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import blake2b
from typing import Literal

__all__ = [
    "MAX_SECRET",
    "PLACEHOLDER",
    "RULES",
    "SCHEMES",
    "How",
    "Rule",
    "Where",
    "placeholder",
    "placeholder_of",
    "plain_name",
    "words",
]

Where = Literal["header", "field", "name", "query", "list", "path", "pattern", "place", "shape"]
How = Literal["value", "credential", "cookies", "set-cookie"]

#: The longest value, in bytes, that is taken for a secret.
MAX_SECRET = 16 * 1024


@dataclass(frozen=True, slots=True)
class Rule:
    """One place where secrets stand, and what is put there instead.

    `what` depends on `where`:
    - `header`: a regular expression, without groups, for the whole lower-case name of a header, in requests and
      answers; `how` says which part of the value goes: all of it (`value`), all but the scheme word (`credential`), the
      values of cookies (`cookies`, `set-cookie`).
    - `field`: names, separated by blanks, of JSON fields, form fields, parts and query fields. `api-key` stands for
      `api_key`, `apiKey` and `API-KEY` as well, and for every name that ends in it.
    - `name`: one name of such fields, and nothing but it; blanks, hyphens, underscores, humps and case do not count.
      Whatever stands under it is secret, numbers and all that an object holds included.
    - `query`: as `field`, for names that mean a secret only in a query or a form, where they are the whole name.
    - `list`: names of JSON lists of objects; the string `value` of each is the secret.
    - `path`: where a value stands in a query or a body (core/rule_paths.py), with all that is in it.
    - `pattern`: a regular expression of the user's for bytes anywhere; its group `secret`, or all of it when it has no
      such group, is the secret.
    - `place`: a regular expression for bytes anywhere, in lower case when `any_case`. Its only group, or all of it when
      there is none, is the secret. `needs` is text that is in every match: cheap to look for, often missing.
    - `shape`: the same, for secrets that are known by what they look like and not by what stands around them.

    `kind` names the placeholder; `org` and `proj` get a digest of what they replace.
    """

    name: str
    where: Where
    what: str
    kind: str
    how: How = "value"
    any_case: bool = False
    needs: str = ""


#: A placeholder; the kinds are the alphabet's lower-case letters and hyphens only, and end in a letter.
PLACEHOLDER = re.compile(rb"redacted\.(?:(?:org|proj)\.[0-9a-f]{8}|[a-z][a-z-]{0,30}[a-z])")

#: Authentication schemes: the words that may stay in front of a credential.
SCHEMES = re.compile(
    rb"(?:api-?key|aws4-hmac-sha256|basic|bearer|digest|dpop|hoba|key|mutual|negotiate|ntlm|oauth|privatetoken|"
    rb"scram-sha-(?:1|256)|sharedaccesssignature|sharedkey|ssws|token|vapid)(?=[ \t])",
    re.IGNORECASE,
)

_BETWEEN = re.compile(r"[-_ .\[\]]+|(?<=[a-z0-9])(?=[A-Z])")
_ORG_ID = re.compile(r"(?:org|user)-[A-Za-z0-9]{12,64}")
_PROJECT_ID = re.compile(r"proj_[A-Za-z0-9]{12,64}")


def placeholder(kind: str, secret: bytes = b"") -> bytes:
    """What stands for `secret`: `redacted.KIND`, with eight hex digits more for ids, so that they stay different."""
    if kind in ("org", "proj"):
        return f"redacted.{kind}.{blake2b(secret, digest_size=4).hexdigest()}".encode()
    return f"redacted.{kind}".encode()


def words(name: str) -> list[str]:
    """The words of a field's name: what separators or humps divide, in lower case."""
    return [word.lower() for word in _BETWEEN.split(name) if word]


def plain_name(name: str) -> str:
    """What counts of a field's name: its words in one."""
    return "".join(words(name))


def placeholder_of(literal: str) -> bytes:
    """What stands for a secret that was seen elsewhere, by its own shape: an id's placeholder, or an API key's."""
    kind = "org" if _ORG_ID.fullmatch(literal) else "proj" if _PROJECT_ID.fullmatch(literal) else "api-key"
    return placeholder(kind, literal.encode("utf-8", "surrogateescape"))


def _starts(literal: str) -> str:
    """`literal`, not in the middle of a word; an escape of JSON or of a URL before it does not make it one."""
    after = rf"(?<=\\[bfnrt]{literal})|(?<=\\u[0-9A-Fa-f]{{4}}{literal})|(?<=%[0-9A-Fa-f]{{2}}{literal})"
    return rf"{literal}(?:(?<![A-Za-z0-9_-]{literal})|{after})"


def _run(chars: str, least: int, most: int, having: str = "") -> str:
    """Between `least` and `most` of `chars`, none of them in a placeholder, with one of `having` among them."""
    quick = f"(?=[{chars}]{{{least}}})"
    one_of = rf"(?=(?:(?!redacted\.|[{having}])[{chars}]){{0,{most}}}+[{having}])" if having else ""
    return rf"{quick}{one_of}(?:(?!redacted\.)[{chars}]){{{least},{most}}}+"


_WORD = r"A-Za-z0-9_\-"
_ALNUM = "A-Za-z0-9"
#: What follows the prefix of an id: 16 and more letters and digits that are no plain word.
_ID = rf"{_run(_ALNUM, 16, 64, 'A-Z0-9')}(?![A-Za-z0-9_-])"
_JWT = rf"{_run(_WORD, 10, 2048)}\.{_run(_WORD, 4, 8192)}\.{_run(_WORD, 10, 2048)}"
#: `user:password@`, or a user of 12 characters and more: a token. A slash may be in a password, but not behind a port.
_USERINFO = (
    r"/(?:/|\\/)(?![^@/\s]{0,512}redacted\.)([^/\s\"'<>?#\\@:]{0,256}:[^/\s\"'<>?#\\]{1,256}|"
    r"[^/\s\"'<>?#\\@:\[]{0,256}:(?![0-9]{1,5}/)(?:(?!redacted\.)[^\s\"'<>?#\\@]){1,256}|"
    r"[^/\s\"'<>?#\\@:]{12,256})@"
)
_ESCAPED_USERINFO = r"%2f%2f((?=[a-z0-9._~-]{0,256}%3a)(?:(?!%2f|%40|redacted\.)[a-z0-9._~%-]){1,512}+)%40"
#: A private key, to its end mark, or as far as it goes when it is cut off: never over the end of a string, nor over
#: half of an escape.
_PEM = (
    r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
    r"(?:(?:(?!-----)[^\"]){1,16384}+-----END [A-Z0-9 ]{0,60}-----|(?:[A-Za-z0-9+/=\s]|\\+(?=[nrtu/])){32,16384}+)"
)

_HEADERS = (
    Rule("header.authorization", "header", "(?:proxy-|x-)?authorization|x-auth", "authorization", "credential"),
    Rule("header.cookie", "header", "cookie2?", "cookie", "cookies"),
    Rule("header.set-cookie", "header", "set-cookie2?", "cookie", "set-cookie"),
    Rule(
        "header.api-key",
        "header",
        "(?!(?:x-)?idempotency-key$|sec-websocket-key$|surrogate-key$|x-cache-key$).*-(?:api)?key|(?:x-)?api_?key",
        "api-key",
    ),
    Rule("header.token", "header", "(?:.*-)?token", "token", "credential"),
    Rule("header.secret", "header", "(?:.*-)?(?:secret|password)", "secret"),
    Rule("header.organization", "header", "openai-organization", "org"),
    Rule("header.project", "header", "openai-project", "proj"),
    Rule("header.cf-ray", "header", "cf-ray", "cf-ray"),
)

_FIELDS = (
    Rule("field.authorization", "field", "authorization", "authorization"),
    Rule(
        "field.api-key",
        "field",
        "api-key access-key account-key encryption-key master-key secret-key service-key shared-key signing-key "
        "subscription-key",
        "api-key",
    ),
    Rule("field.private-key", "field", "private-key", "private-key"),
    Rule(
        "field.token",
        "field",
        "access-token api-token auth-token authentication-token bearer-token bot-token csrf-token id-token "
        "private-token refresh-token security-token session-token xsrf-token",
        "token",
    ),
    Rule("field.secret", "field", "secret", "secret"),
    Rule("field.password", "field", "password passwd passphrase", "password"),
    Rule("field.cookie", "field", "cookie", "cookie"),
    Rule("list.domain-secrets", "list", "domain-secrets", "secret"),
    Rule("query.key", "query", "key", "api-key"),
    Rule("query.token", "query", "token", "token"),
    Rule("query.signature", "query", "sig signature x-amz-signature x-goog-signature", "signature"),
    Rule("query.password", "query", "pass pwd auth", "password"),
)

_PLACES = (
    Rule("url.userinfo", "place", _USERINFO, "userinfo", needs="@"),
    Rule("url.escaped-userinfo", "place", _ESCAPED_USERINFO, "userinfo", any_case=True, needs="%"),
)

#: What an error says of a key, in its quotes or without; and a key of which the most is hidden already.
_ECHOED = (
    r"api key(?: provided)?:? (?:\\{0,7}[\"'`](?=[A-Za-z0-9])|&quot;)?(?!redacted\.)"
    r"(?:(?<=provided: )|(?<=provided: .)|(?<=provided: ..)|(?=[^\s\"'\\<>]{0,200}(?:\*\*\*|[0-9][^\s\"'\\<>]{15})))"
    r"([^\s\"'`\\<>]{0,299}[^\s\"'`\\<>.,])"
)
_MASKED = _starts("sk-") + r"(?=[*_-]{0,300}[A-Za-z0-9])[A-Za-z0-9_-]{0,64}\*{3,256}[A-Za-z0-9_-]{0,64}"
_BEARER = rf"bearer[ +]({_run('a-z0-9._~+/=-', 20, 4096, '0-9')})"
_GITHUB = rf"{_starts('gh[pousr]_')}{_run(_ALNUM, 20, 255)}|{_starts('github_pat_')}{_run(_WORD, 20, 255)}"

_SHAPES = (
    Rule("shape.bearer", "shape", _BEARER, "authorization", any_case=True),
    Rule("shape.echoed-key", "shape", _ECHOED, "api-key", any_case=True, needs=" "),
    Rule("shape.masked-key", "shape", _MASKED, "api-key", needs="***"),
    Rule("shape.private-key", "shape", _PEM, "private-key", needs="-"),
    Rule("shape.openai-key", "shape", _starts("sk-") + _run(_WORD, 16, 512, "A-Z0-9"), "api-key", needs="-"),
    Rule("shape.openai-session", "shape", _starts("sess-") + _run(_ALNUM, 20, 200), "api-key", needs="-"),
    Rule("shape.openai-client-secret", "shape", _starts("ek_") + _run(_WORD, 16, 200, "0-9"), "api-key", needs="_"),
    Rule("shape.aws-key", "shape", _starts("AKIA") + r"[A-Z0-9]{16}(?![A-Za-z0-9_-])", "api-key"),
    Rule("shape.github-token", "shape", _GITHUB, "api-key", needs="_"),
    Rule("shape.google-key", "shape", _starts("AIza") + _run(_WORD, 30, 60), "api-key"),
    Rule(
        "shape.slack-token",
        "shape",
        _starts("xox[abeoprs]-") + _run("A-Za-z0-9-", 10, 255, "0-9"),
        "api-key",
        needs="-",
    ),
    Rule("shape.hugging-face-token", "shape", _starts("hf_") + _run(_ALNUM, 20, 100), "api-key", needs="_"),
    Rule("shape.jwt", "shape", _starts("eyJ") + _JWT, "jwt", needs="."),
    Rule("id.organization", "shape", _starts("org-") + _ID, "org", needs="-"),
    Rule("id.project", "shape", _starts("proj_") + _ID, "proj", needs="_"),
)

_STRIPE = "|".join(_starts(prefix) + _run(_ALNUM, 16, 255) for prefix in ("sk_live_", "rk_live_"))
#: Keys of services that apps hand on in prompts and tool calls: those a scanner of repositories would stop at.
_OTHERS = (
    Rule("shape.stripe-key", "shape", _STRIPE, "api-key", needs="k_live_"),
    Rule("shape.groq-key", "shape", _starts("gsk_") + _run(_ALNUM, 32, 128, "0-9"), "api-key", needs="gsk_"),
    Rule("shape.xai-key", "shape", _starts("xai-") + _run(_ALNUM, 32, 128, "0-9"), "api-key", needs="xai-"),
    Rule("shape.perplexity-key", "shape", _starts("pplx-") + _run(_ALNUM, 32, 128, "0-9"), "api-key", needs="pplx-"),
    Rule("shape.gitlab-token", "shape", _starts("glpat-") + _run(_WORD, 20, 255), "api-key", needs="glpat-"),
    Rule("shape.npm-token", "shape", _starts("npm_") + _run(_ALNUM, 36, 64), "api-key", needs="npm_"),
    Rule("shape.pypi-token", "shape", _starts("pypi-AgE") + _run(_WORD, 50, 1024), "api-key", needs="pypi-"),
    Rule("shape.sendgrid-key", "shape", _starts("SG\\.") + _run(_WORD + ".", 40, 100, "0-9"), "api-key", needs="SG."),
)

#: The built-in rules; where two of a kind find the same secret, the earlier one names the placeholder.
RULES: tuple[Rule, ...] = (*_HEADERS, *_FIELDS, *_PLACES, *_SHAPES, *_OTHERS)
