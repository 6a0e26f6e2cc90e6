"""How text that comes from outside is shown in error texts, log lines and reprs: controls escaped, secrets masked.

Secrets are known by their form, by the name before them, or because this program has passed them to a runtime, which may
repeat them anywhere. Attributes keep the text as it came; only the lines of stderr are kept without secrets.
"""

from __future__ import annotations

import json
import re
import weakref
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress

from openai_codex._runtime.secret_names import compiled, may_name_secret

# C0 and C1 controls, line and paragraph separators, marks that change the direction of text, lone surrogates: what can
# forge a log line, move a cursor, or make a text look like another.
_CONTROL = "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"

MASK = "***"
"""What is shown instead of a secret."""

# In prose, the word after "basic" or "bearer" is seldom a secret. Tokens of well-known services are, wherever they stand, and
# so is a JSON Web Token, also after a letter of a script that has no spaces.
_TELLING_IN_PROSE = (
    r"""(?i)(?a:\b(?:sk-[\w\-]{16,}|gh[opsur]_\w{20,}|github_pat_\w{20,}|AKIA[0-9A-Z]{16}\b|xox[a-z]-[\w\-]{10,}"""
    r"""|npm_[A-Za-z0-9]{36}|pypi-[\w\-]{40,}|[sr]k_(?:live|test)_\w{16,}|ya29\.[\w\-]{20,}"""
    r"""|AIza[\w\-]{30,}|glpat-[\w\-]{16,}|hf_\w{20,}|eyJ[\w\-]{8,}\.[\w\-]{8,}\.[\w\-]{8,}))"""
    r"""|bearer\s{1,8}([\w\-.~+/=]{16,})|(?<=://)[^\s/@:"']*:[^\s/"']+(?=@)"""
    r"""|(?<=://)(?=[^\s/@:"']*\d)(?=[^\s/@:"']*[a-z])[^\s/@:"']{16,}(?=@)"""
    r"""|(?-i:[Bb]asic\s{1,8}((?=\w*\d)(?=\w+[A-Z])(?=\w*[a-z])[\w+/]{12,}={0,2}))"""
)
# Shorter ones would be found in ordinary words.
_SHORTEST = 6

# How many secrets are known whose owners are gone, or that have none.
_MOST_KNOWN = 256

# Of a secret of several lines, a private key for instance, lines of this length are secrets too: stderr is kept by lines.
_LINE = 16

# The secrets that this program has passed to runtimes, newest last, each with its owners: it is known for as long as one lives.
_known: OrderedDict[str, list[weakref.ref[object]]] = OrderedDict()

# What finds more secrets, and is not called before a text is to be shown: most programs show none. At most so many wait.
_finds: deque[tuple[Callable[[], Iterable[str]], weakref.ref[object] | None]] = deque()
_MOST_FINDS = 64


def conceal(secrets: Iterable[str], owner: object = None) -> None:
    """Mask these texts wherever `hide` and `escape` find them from now on, at least for as long as ``owner`` lives."""
    for form in (form for secret in secrets for form in _forms(secret)):
        owners = [each for each in _known.get(form, ()) if each() is not None and each() is not owner]
        _known[form] = owners if owner is None else [*owners, weakref.ref(owner)]
        # One that is passed again is among the newest. In one step: another thread may show a text that has it.
        with suppress(KeyError):
            _known.move_to_end(form)
    for form in list(_known)[:-_MOST_KNOWN]:
        if not any(each() is not None for each in _known.get(form, ())):
            _known.pop(form, None)


def conceal_later(find: Callable[[], Iterable[str]], owner: object = None) -> None:
    """Mask the texts that ``find`` returns, as `conceal` does; it is called before the next text is shown."""
    _finds.append((find, None if owner is None else weakref.ref(owner)))
    if len(_finds) > _MOST_FINDS:
        _find_all()


def _find_all() -> None:
    for entry in tuple(_finds):
        find, owner = entry
        conceal(find(), owner and owner())
        # Not before its secrets are known: another thread may show a text meanwhile, and has taken it out then.
        with suppress(ValueError):
            _finds.remove(entry)


def _forms(secret: str) -> list[str]:
    """Return how a secret may be repeated: as it is, as in JSON, as by `repr`, and line by line."""
    token = re.sub(r"^(bearer|basic) ", "", secret, flags=re.IGNORECASE)
    lines = [line for line in secret.splitlines() if len(line) >= _LINE]
    forms = [secret, token, json.dumps(token, ensure_ascii=False)[1:-1], repr(token)[1:-1], *lines]
    return [form for form in forms if len(form) >= _SHORTEST and form.lower() != "bearer"]


def hide(text: str) -> str:
    """Return a text without the secrets that this program has passed, and without what looks like one.

    Masked is also what follows a name that sounds secret: in a header, a variable, a field of JSON, or a sentence.
    """
    places = known_places(text)
    if may_name_secret(text):
        # Imported here: few texts have such a name, and it compiles many patterns.
        from openai_codex._runtime.assigned import places as assigned_places

        places += assigned_places(text)
    return masked(text, places)


def known_places(text: str) -> list[tuple[int, int]]:
    """Return where a text has secrets that this program has passed, and tokens that are known by their form."""
    # In no text, as stderr is at the start, nothing is searched, and no pattern compiled. After some words it is a group.
    found = [place for form in known() for place in places_of(form, text)] if text else []
    matches = compiled(_TELLING_IN_PROSE).finditer(text) if text else ()
    return found + [match.span(match.lastindex or 0) for match in matches]


def places_of(part: str, text: str) -> Iterator[tuple[int, int]]:
    """Yield where a text has a part."""
    begin = text.find(part)
    while begin >= 0:
        yield begin, begin + len(part)
        begin = text.find(part, begin + len(part))


def masked(text: str, places: Iterable[tuple[int, int]]) -> str:
    """Return a text with a mask for each of these places, and one for those that overlap.

    All are found in the text as it came: a mask could hide the name of a secret, or a half of one, from what looks next.
    """
    shown, at = "", 0
    for begin, end in sorted(places):
        if begin >= at:
            shown, at = f"{shown}{text[at:begin]}{MASK}", end
        at = max(at, end)
    return shown + text[at:]


def known() -> tuple[str, ...]:
    """Return the forms of the secrets that this program has passed to runtimes."""
    if _finds:
        _find_all()
    return tuple(_known)


def escape(text: str) -> str:
    """Return a text without secrets, in which each control character is an escape, so that it stays on its line."""
    return escape_controls(hide(text))


def escape_controls(text: str) -> str:
    """Return a text in which each control character is an escape; secrets stay."""
    return compiled(_CONTROL).sub(_escaped, text)


def _escaped(match: re.Match[str]) -> str:
    # By `repr`, which Python programmers can read; it leaves some of these as they are.
    quoted = repr(match[0])[1:-1]
    return quoted if quoted != match[0] else f"\\u{ord(match[0]):04x}"
