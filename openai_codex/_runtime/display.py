"""How text that comes from outside is shown in error texts, log lines and reprs: controls escaped, secrets masked.

Secrets are known by their form, by the key beside them, or because this program has passed them to a runtime, which may
repeat them anywhere. Attributes keep the text as it came; only the lines of stderr are kept without secrets.
"""

from __future__ import annotations

import json
import re
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress

from openai_codex._runtime.secret_names import HARMLESS, KEYS, NAMES, compiled, is_secret_key, may_name_secret

# C0 and C1 controls, line and paragraph separators, marks that change the direction of text, lone surrogates: what can
# forge a log line, move a cursor, or make a text look like another.
_CONTROL = "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"

_MASK = "***"

# In a text that may hold settings, in any spelling and at any depth: a key of which one part sounds secret, with its
# sign; an option that does, before the next text of a list. A table of names of variables is passed over.
_SECRET_KEY = (
    r"""(?i)env_http_headers["'\\]*\s*[=:]\s*\{[^{}]*\}"""
    rf"""|(?P<key>[\w.\-"'\\]{{0,80}}(?:{KEYS})[^=:,{{}}\[\]]{{0,80}})(?P<sign>[=:]\s*)(?!(?:true|false)\s*(?:[,}}\]]|$))"""
    rf"""|(?P<option>["']--?[\w.\-]*(?:{NAMES})[\w.\-]*\\*["']\s*,\s*|["'](?-i:-H)\\*["']\s*,\s*)"""
)

# The value of such a key: a TOML string of any kind, or what ends with the value.
_VALUE = (
    r'''(?i)"""(?:[^\\]|\\[\s\S])*?"""|\'\'\'[\s\S]*?\'\'\'|"(?:[^"\\]|\\[\s\S])*"|'[^']*'|[{\[][\s\S]*'''
    r"""|(?:bearer |basic )?[^\s,}\]]*"""
)
_OPTION = rf"(?i)--?[\w.\-]*(?:{NAMES})[\w.\-]*|(?-i:-H)"

# These are secrets whatever their key is called; the last is the query of a URL, or what follows its #.
_TELLING = (
    r"""(?i)(?<=bearer )[^\s"',}]+|(?<=basic )[^\s"',}]+|\bsk-[\w\-]{8,}|(?<=://)[^\s/"']+(?=@)"""
    r"""|(?<=://)[^\s/@"':]*:(?!\d+[/?#])[^\s"']+(?=@)"""  # a password may hold a slash
    r"""|(?<=[?#])[^\s"'=]{0,400}=[^\s"'}\]]+"""
)

# In prose, the word after "basic" or "bearer" is seldom a secret. Tokens of well-known services are, wherever they stand, and
# so is a JSON Web Token, also after a letter of a script that has no spaces.
_TELLING_IN_PROSE = (
    r"""(?i)(?a:\b(?:sk-[\w\-]{16,}|gh[opsur]_\w{20,}|github_pat_\w{20,}|AKIA[0-9A-Z]{16}\b|xox[a-z]-[\w\-]{10,}"""
    r"""|npm_[A-Za-z0-9]{36}|pypi-[\w\-]{40,}|[sr]k_(?:live|test)_\w{16,}|ya29\.[\w\-]{20,}"""
    r"""|AIza[\w\-]{30,}|glpat-[\w\-]{16,}|hf_\w{20,}|eyJ[\w\-]{8,}\.[\w\-]{8,}\.[\w\-]{8,}))"""
    r"""|(?<=bearer )[\w\-.~+/=]{16,}|(?<=://)[^\s/@:"']+:[^\s/"']+(?=@)"""
)
TELLING_WORDS = (
    "sk-", "gho_", "ghp_", "ghs_", "ghu_", "ghr_", "github_pat_", "akia", "xox", "aiza", "glpat-", "hf_", "eyj", "npm_",
    "pypi-", "sk_live_", "sk_test_", "rk_live_", "rk_test_", "ya29.")  # fmt: skip
"""What tokens of well-known services begin with, in lower case."""

# What a token looks like under any other name: long, of letters and digits, and no UUID, as ids are.
_LONG_WORD = r"(?=.*\d)(?=.*[A-Za-z])[\w\-+=.~]{20,}"
_UUID = r"(?i)[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"

# The keys in a TOML value, and the texts in it.
_TEXTS = (
    r'''(?:"(?:[^"\\]|\\.)*"|'[^']*'|[\w\-.]+)\s*[=:](?!/)|"""(?P<long>(?:[^\\]|\\[\s\S])*?)"""'''
    r"""|'''(?P<raw>[\s\S]*?)'''|(?P<basic>"(?:[^"\\]|\\[\s\S])*")|'(?P<plain>[^']*)'|(?P<bare>[^\s"'=,{}\[\]]+)"""
)

# Shorter ones would be found in ordinary words.
_SHORTEST = 6

# How many secrets are known whose owners are gone, or that have none.
_MOST_KNOWN = 256

# Of a secret of several lines, a private key for instance, lines of this length are secrets too: stderr is kept by lines.
_LINE = 16

# The secrets that this program has passed to runtimes, newest last, each with its owners: it is known for as long as one lives.
_known: dict[str, list[weakref.ref[object]]] = {}

# What finds more secrets, and is not called before a text is to be shown: most programs show none. At most so many wait.
_finds: deque[tuple[Callable[[], Iterable[str]], weakref.ref[object] | None]] = deque()
_MOST_FINDS = 64


def conceal(secrets: Iterable[str], owner: object = None) -> None:
    """Mask these texts wherever `hide` and `escape` find them from now on, at least for as long as ``owner`` lives."""
    for form in (form for secret in secrets for form in _forms(secret)):
        # One that is passed again is among the newest.
        owners = [each for each in _known.pop(form, ()) if each() is not None and each() is not owner]
        _known[form] = owners if owner is None else [*owners, weakref.ref(owner)]
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

    So does what follows a name that sounds secret: in a header, a variable, a field of JSON, or a sentence.
    """
    if may_name_secret(text):
        # Imported here: few texts have such a name, and it compiles many patterns.
        from openai_codex._runtime.assigned import hidden

        text = hidden(text, _MASK)
    return hide_known(text)


def hide_known(text: str) -> str:
    """Return a text without the secrets that this program has passed, and without tokens that are known by their form."""
    if not text:  # as stderr is at the start, when nothing has to be searched yet
        return text
    # The longest first: one may be the beginning of another.
    for form in sorted((form for form in known() if form in text), key=len, reverse=True):
        text = text.replace(form, _MASK)
    return compiled(_TELLING_IN_PROSE).sub(_MASK, text)


def may_hide(text: str) -> bool:
    """Return whether `hide_known` may change a text. Much cheaper than to call it, so it is done for each text of a stream."""
    lower = text.lower()
    # Without a step of Python for each.
    return (
        "://" in text
        or "bearer " in lower
        or any(map(text.__contains__, known()))
        or any(map(lower.__contains__, TELLING_WORDS))
    )


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


# -- what is secret among settings, arguments and variables ---------------------------------------------------------


def looks_secret(value: str) -> bool:
    """Return whether a value is so much like a token that it is one wherever it stands."""
    return compiled(_LONG_WORD).fullmatch(value) is not None and not is_id(value)


def is_id(value: str) -> bool:
    """Return whether a value is a UUID."""
    return compiled(_UUID).fullmatch(value) is not None


def secrets_of_arguments(arguments: Iterable[str]) -> Iterator[str]:
    """Yield what `mask_all` masks."""
    follows = False
    for argument in arguments:
        if follows:
            yield argument
        follows = is_option(argument)
        for key in _secret_keys(argument):
            yield from _values(argument, key)
        yield from _telling(argument)


def secrets_of_settings(settings: object, *, is_secret: bool = False) -> Iterator[str]:
    """Yield the texts below keys that sound secret, in settings of any depth, and what other texts in them show."""
    if isinstance(settings, Mapping):
        for key, value in settings.items():
            if is_secret or not compiled(HARMLESS).search(str(key)):
                yield from secrets_of_settings(value, is_secret=is_secret or is_secret_key(str(key)))
    elif isinstance(settings, (list, tuple)):
        for before, value in zip(("", *settings), settings, strict=False):
            yield from secrets_of_settings(value, is_secret=is_secret or is_option(before))
    elif isinstance(settings, str):
        yield from [settings] if is_secret else []
        yield from secrets_of_arguments([settings])


def tokens_of(arguments: object) -> Iterator[str]:
    """Yield the texts below keys that sound secret that look like tokens: others may be words that a tool is given."""
    return filter(looks_secret, secrets_of_settings(arguments))


def is_option(argument: object) -> bool:
    """Return whether an argument is an option whose value is secret."""
    return isinstance(argument, str) and compiled(_OPTION).fullmatch(argument) is not None


def _secret_keys(text: str) -> Iterator[re.Match[str]]:
    for match in compiled(_SECRET_KEY).finditer(text):
        if match["option"] or (match["key"] and is_secret_key(match["key"])):
            yield match


def _values(text: str, key: re.Match[str]) -> Iterator[str]:
    """Yield the texts of the value that follows a key."""
    rest = text[key.end() :]
    if rest.startswith("\\"):  # within a text that is itself within a text
        rest = re.sub(r"\\(.)", r"\1", rest)
    value = compiled(_VALUE).match(rest)
    if value is None or rest[:1] not in {'"', "'", "{", "["}:
        yield from filter(None, (rest if key.start() == 0 else "", "" if value is None else value[0]))
    else:
        yield from _texts_in(value[0])


def _telling(text: str) -> Iterator[str]:
    for found in compiled(_TELLING).findall(text):
        # In a URL, the name of the user may be harmless, and so are the keys of its query.
        parts = (found, found.partition(":")[2], *(part.partition("=")[2] for part in found.split("&")))
        yield from filter(None, parts)


def _texts_in(value: str) -> Iterator[str]:
    for match in compiled(_TEXTS).finditer(value):
        basic = match["basic"]
        if basic:
            try:
                yield json.loads(basic)
            except ValueError:  # an escape that JSON does not have
                yield basic[1:-1]
        else:
            yield from filter(None, match.groups())


def mask(argument: str) -> str:
    """Return an argument or setting without values whose form says that they are secret, and up to a key that does."""
    shown = compiled(_TELLING).sub(_MASK, argument)
    key = next(_secret_keys(shown), None)
    # What follows the value may be a part of it: where it ends is known to whoever reads the argument.
    return shown if key is None else f"{shown[: key.end()]}{_MASK}"


def mask_all(arguments: Iterable[str]) -> tuple[str, ...]:
    """Return a command line without secrets, such as the word after ``--token``."""
    shown: list[str] = []
    hides_next = False
    for argument in arguments:
        shown.append(_MASK if hides_next else mask(argument))
        hides_next = is_option(argument)
    return tuple(shown)
