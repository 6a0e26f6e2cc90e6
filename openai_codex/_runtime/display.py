"""How text that comes from outside is shown in error texts, log lines and reprs: controls escaped, secrets masked.

Secrets are known by their form, by the key beside them, or because this program has passed them to a runtime, which may
repeat them anywhere. Attributes keep the text as it came; only the lines of stderr are kept without secrets.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping

# C0 and C1 controls, line and paragraph separators, marks that change the direction of text, lone surrogates: what can
# forge a log line, move a cursor, or make a text look like another.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")

_MASK = "***"

_WORDS = r"token|key|secret|passw(?:or)?d|authorization|bearer|credential"

# What a key of a setting is called when what is below it is secret: such a word, or that it is a variable or a header.
_SETTING = rf"{_WORDS}|cookie|dsn|pwd|headers|(?<![\w\-])env(?![\w\-])|pass(?![a-z])|pat(?![\w\-])"

# A key with such a word, in any spelling, and its value: a TOML string of any kind, or what ends with the value.
_PAIR = re.compile(
    rf"""(?P<key>[\w.\-"']{{0,80}}(?:{_SETTING})[\w.\-"']{{0,80}})(?P<sign>\s*[=:]\s*)"""
    r'''(?P<value>"""[\s\S]*?"""|\'\'\'[\s\S]*?\'\'\'|"(?:[^"\\]|\\.)*"|'[^']*'|[{\[][\s\S]*|(?:bearer |basic )?[^\s,}\]]*)''',
    re.IGNORECASE,
)
_OPTION = re.compile(rf"--?[\w\-]*(?:{_WORDS})[\w\-]*", re.IGNORECASE)

# These are secrets whatever their key is called.
_TELLING = re.compile(
    r"""(?<=bearer )[^\s"',}]+|(?<=basic )[^\s"',}]+|\bsk-[\w\-]{8,}|(?<=://)[^\s/@"']+(?=@)"""
    r"""|(?<=\?)[\w\-.~%]+=[^\s"',}\]]+""",  # the query of a URL
    re.IGNORECASE,
)

# In a list of arguments, the one after an option with such a word.
_AFTER_OPTION = re.compile(
    rf"""(?P<option>["']--?[\w\-]*(?:{_WORDS})[\w\-]*["']\s*,\s*)(?P<value>"(?:[^"\\]|\\.)*"|'[^']*')""", re.IGNORECASE
)

# `env_key` and `bearer_token_env_var` name a variable; a limit of tokens is a number.
_HARMLESS_KEY = re.compile(r"env_key|env_var|env_http_headers|_limit", re.IGNORECASE)


# In prose, the word after "basic" or "bearer" is seldom a secret.
_TELLING_IN_PROSE = re.compile(
    r"""\bsk-[\w\-]{16,}|(?<=bearer )[\w\-.~+/=]{16,}|(?<=://)[^\s/@:"']+:[^\s/@"']+(?=@)""", re.IGNORECASE
)

# Names of variables that hold secrets.
_VARIABLE = re.compile(rf"{_WORDS}|auth|cookie|dsn|pwd|pass(?:$|_)|pat$", re.IGNORECASE)

# What a token looks like under any other name: long, of letters and digits, and no UUID, as ids are.
_TOKEN = re.compile(r"(?=.*\d)(?=.*[A-Za-z])[\w\-+=.~]{20,}")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)

# The keys in a TOML value, and the texts in it.
_TEXTS = re.compile(
    r'''(?:"(?:[^"\\]|\\.)*"|'[^']*'|[\w\-.]+)\s*=|"""(?P<long>[\s\S]*?)"""|\'\'\'(?P<raw>[\s\S]*?)\'\'\''''
    r"""|(?P<basic>"(?:[^"\\]|\\.)*")|'(?P<plain>[^']*)'|(?P<bare>[^\s"'=,{}\[\]]+)"""
)

# Shorter ones would be found in ordinary words.
_SHORTEST = 6
_MOST_KNOWN = 256

# Of a secret of several lines, a private key for instance, lines of this length are secrets too: stderr is kept by lines.
_LINE = 16

# The secrets that this program has passed to runtimes, newest last, and the pattern that finds them.
_known: dict[str, None] = {}
_finder: re.Pattern[str] | None = None


def conceal(secrets: Iterable[str]) -> None:
    """Mask these texts wherever `hide` and `escape` find them from now on."""
    global _finder  # noqa: PLW0603  the runtime may repeat a secret in text of any client
    new = [form for secret in secrets for form in _forms(secret) if form not in _known]
    if new:
        _known.update(dict.fromkeys(new))
        while len(_known) > _MOST_KNOWN:
            _known.pop(next(iter(_known)), None)
        # The longest first: one may be the beginning of another.
        _finder = re.compile("|".join(map(re.escape, sorted(_known, key=len, reverse=True))))


def _forms(secret: str) -> list[str]:
    """Return how a secret may be repeated: as it is, as in JSON, and line by line."""
    token = re.sub(r"^(bearer|basic) ", "", secret, flags=re.IGNORECASE)
    lines = [line for line in secret.splitlines() if len(line) >= _LINE]
    forms = [secret, token, json.dumps(token, ensure_ascii=False)[1:-1], *lines]
    return [form for form in forms if len(form) >= _SHORTEST and form.lower() != "bearer"]


def hide(text: str) -> str:
    """Return a text without the secrets that this program has passed, and without what looks like one."""
    known = text if _finder is None else _finder.sub(_MASK, text)
    return _TELLING_IN_PROSE.sub(_MASK, known)


def escape(text: str) -> str:
    """Return a text without secrets, in which each control character is an escape, so that it stays on its line."""
    return _CONTROL.sub(_escaped, hide(text))


def secrets_of_variables(variables: Mapping[str, str | None]) -> Iterator[str]:
    """Yield the secrets among variables of the environment: by their name, or by their form."""
    for name, value in variables.items():
        if value is None:
            continue
        is_path = value.startswith("/")
        if not is_path and (_VARIABLE.search(name) or (_TOKEN.fullmatch(value) and not _UUID.fullmatch(value))):
            yield value
        yield from _telling(value)


def secrets_of_arguments(arguments: Iterable[str]) -> Iterator[str]:
    """Yield what `mask_all` masks."""
    follows = False
    for argument in arguments:
        if follows:
            yield argument
        follows = _OPTION.fullmatch(argument) is not None
        for match in _PAIR.finditer(argument):
            if _masked(match) != match[0]:
                yield from _texts_in(match["value"])
        for match in _AFTER_OPTION.finditer(argument):
            yield from _texts_in(match["value"])
        yield from _telling(argument)


def secrets_of_settings(settings: object, *, is_secret: bool = False) -> Iterator[str]:
    """Yield the texts below keys that sound secret, in settings of any depth."""
    if isinstance(settings, Mapping):
        for key, value in settings.items():
            named = bool(re.search(_SETTING, str(key), re.IGNORECASE) and not _HARMLESS_KEY.search(str(key)))
            yield from secrets_of_settings(value, is_secret=is_secret or named)
    elif isinstance(settings, (list, tuple)):
        for before, value in zip(("", *settings), settings, strict=False):
            follows = isinstance(before, str) and _OPTION.fullmatch(before) is not None
            yield from secrets_of_settings(value, is_secret=is_secret or follows)
    elif isinstance(settings, str):
        yield from [settings] if is_secret else []
        yield from _telling(settings)


def _telling(text: str) -> Iterator[str]:
    for found in _TELLING.findall(text):
        yield from (found, found.partition(":")[2])  # in a URL, the name of the user may be harmless


def _texts_in(value: str) -> Iterator[str]:
    for match in _TEXTS.finditer(value):
        basic = match["basic"]
        if basic:
            try:
                yield json.loads(basic)
            except ValueError:  # an escape that JSON does not have
                yield basic[1:-1]
        else:
            yield from filter(None, match.groups())


def mask(argument: str) -> str:
    """Return an argument or setting without the values whose key, or whose form, says that they are secret."""
    shown = _AFTER_OPTION.sub(rf'\g<option>"{_MASK}"', argument)
    return _TELLING.sub(_MASK, _PAIR.sub(_masked, shown))


def mask_all(arguments: Iterable[str]) -> tuple[str, ...]:
    """Return a command line without secrets, such as the word after ``--token``."""
    shown: list[str] = []
    hides_next = False
    for argument in arguments:
        shown.append(_MASK if hides_next else mask(argument))
        hides_next = _OPTION.fullmatch(argument) is not None
    return tuple(shown)


def _escaped(match: re.Match[str]) -> str:
    # By `repr`, which Python programmers can read; it leaves some of these as they are.
    quoted = repr(match[0])[1:-1]
    return quoted if quoted != match[0] else f"\\u{ord(match[0]):04x}"


def _masked(match: re.Match[str]) -> str:
    is_harmless = _HARMLESS_KEY.search(match["key"]) or match["value"] in {"true", "false"}
    return match[0] if is_harmless else f"{match['key']}{match['sign']}{_MASK}"
