"""Whether a text may have a secret that is known by its form, and what at its end may begin one that goes on in the next piece.

What shows a secret may be in an earlier piece: of each text so much is remembered as such a name may have.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from openai_codex._runtime import assigned
from openai_codex._runtime.display import known
from openai_codex._runtime.secret_names import may_name_secret

if TYPE_CHECKING:
    from collections.abc import Iterable

TELLING_WORDS = (
    "sk-", "gho_", "ghp_", "ghs_", "ghu_", "ghr_", "github_pat_", "akia", "xox", "aiza", "glpat-", "hf_", "eyj", "npm_",
    "pypi-", "sk_live_", "sk_test_", "rk_live_", "rk_test_", "ya29.")  # fmt: skip
"""What tokens of well-known services begin with, in lower case."""

# Those of them without a sign: of a text that has none, the others need not be looked for.
_WITHOUT_SIGN = [word for word in TELLING_WORDS if word.isalnum()]

# Any token is taken for the longest kind: all of it is a word. And a token may be only begun.
_WORDS = rf"(?:{'|'.join(TELLING_WORDS)})[\w\-.]*"
_BEGUN = "|".join(sorted({re.escape(word[:size]) for word in TELLING_WORDS for size in range(1, len(word))}))

# A token after "bearer" or "basic", and the name and the password in a URL.
_BEARER = r"(?:bearer|basic)(?:\s{1,8}[\w\-.~+/=]*)?|b(?:e(?:a(?:re?)?)?|as?i?)?"
_URL = r"""://[^\s/@:"']*(?::[^\s/"']*)?|:/?"""

_APART = re.compile(rf"(?i)(?:(?a:\b)(?:{_WORDS}|{_BEGUN})|{_BEARER}|{_URL})\Z")
_WITHIN = re.compile(rf"(?i)(?:{_WORDS}|{_BEGUN}|{_BEARER}|{_URL})\Z")
_SCHEME = "bearer" + 8 * " "

# A longer word is no secret.
_LONGEST_WORD = 1 << 14

# The same words come again and again; so much of them is remembered.
_SHORT_WORD = 32

_KEY, _KEY_END = "-----BEGIN ", re.compile(r"-----END [A-Z0-9 ]{0,40}-----")


def may_hide(text: str) -> bool:
    """Return whether `known_places` may find something. Much cheaper than to call it, so it is done for each text of a stream."""
    lower = text.lower()
    words = TELLING_WORDS if "-" in text or "_" in text or "." in text else _WITHOUT_SIGN
    # Without a step of Python for each.
    return (
        "://" in text
        or "bearer" in lower
        or "basic" in lower
        or any(map(text.__contains__, known()))
        or any(map(lower.__contains__, words))
    )


def unfinished(text: str, more: Iterable[str] = (), *, within_words: bool = False) -> int:
    """Return how many characters at the end of a text may begin what `hide` masks, or one of ``more``.

    Args:
        text: The text.
        more: What is known to be secret beside what the program has passed to runtimes.
        within_words: Whether a token may begin within a word, as it does where the word before it will be masked.
    """
    word = "" if text[-1:].isspace() else "".join(text[-_LONGEST_WORD:].rsplit(None, 1)[-1:])
    match = (_WITHIN if within_words else _APART).search(text[-len(word) - len(_SCHEME) :])
    return max([len(match[0]) if match else 0, *(_overlap(text, form) for form in (*known(), *more))])


def unfinished_value(text: str, held: int) -> int:
    """Return how many characters at the end of a text may belong to a secret that goes on and is known by what is before it.

    Args:
        text: The text.
        held: How many there are for another reason: no value is taken from its name.
    """
    cut = len(text) - max(held, _dashes(text))
    key = text.rfind(_KEY)
    if key >= 0 and _KEY_END.search(text, key) is None and ("PRIVATE KEY" in text[key:] or "\n" not in text[key:]):
        cut = min(cut, key)
    for value in assigned.found(text) if may_name_secret(text) else ():
        if value.is_open or (value.is_secret and value.begin < cut < value.stop):
            cut = min(cut, value.begin)
    return len(text) - cut


def may_go_on_as_value(text: str) -> bool:
    """Return whether `unfinished_value` may find more in a text, or in one of its lines, than what it begins with."""
    return "-----" in text or may_name_secret(text)


def _dashes(text: str) -> int:
    """Return how many characters at the end of a text may be the beginning of the first line of a key."""
    sizes = range(1, len(_KEY) + 1) if "-" in text[-len(_KEY) :] else ()
    return max((size for size in sizes if text.endswith(_KEY[:size])), default=0)


def _overlap(text: str, form: str) -> int:
    """Return how much of the beginning of ``form``, but not all, is at the end of a text."""
    end = text[-len(form) + 1 :] if len(form) > 1 else ""
    at = end.find(form[:1])
    while at >= 0 and not form.startswith(end[at:]):
        at = end.find(form[:1], at + 1)
    return len(end) - at if at >= 0 else 0


@lru_cache(maxsize=8)
def ends_of(forms: tuple[str, ...]) -> frozenset[str]:
    """Return the last one or two characters of each text that ends with the beginning of one of some secrets, and more."""
    firsts = (form[:1] for form in forms)
    return frozenset((*firsts, *(form[at : at + 2] for form in forms for at in range(len(form) - 2))))


def may_go_on(text: str, ends: frozenset[str]) -> bool:
    """Return whether a text, in which nothing is to be masked, may end with the beginning of a secret. In most cases at once.

    Args:
        text: The text.
        ends: The `ends_of` what is known to be secret.
    """
    if text[-1:] in ends or text[-2:] in ends:
        return True
    last = text[-_SHORT_WORD:]
    if last[-1:].isspace():
        return False
    word = last.rsplit(None, 1)[-1] if last else ""
    return len(word) == _SHORT_WORD or _may_begin(word)


@lru_cache(maxsize=1 << 13)
def _may_begin(word: str) -> bool:
    return _APART.search(word) is not None or _dashes(word) > 0
