"""Secrets in command lines: which options and words of which programs are secret, by one table.

It knows lines of a shell and lists of arguments, with any prefix (`sudo`, `env X=Y`, a path), and commands within quotes. Options
that sound secret are so of any program.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

import attrs

from openai_codex._runtime.display import masked
from openai_codex._runtime.settings_secrets import is_option

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

Place = tuple[int, int]


@attrs.frozen
class Rule:
    """What is secret in the words after a program.

    Attributes:
        programs: Their names, as a pattern.
        options: The option whose value is secret, as a pattern: the next word, what follows ``=``, or the rest of the word. Or
            ``None``, if any word may have it.
        lead: What is in the value before the secret, as a pattern. Without it, there is none.
        told: A word that must be among those before the option.
        place: The position of the secret among the words that are not options, counted from 0, if no option is named.
        is_joined: Whether the value may follow the option in the same word.
    """

    programs: str
    options: str | None = None
    lead: str = ""
    told: str = ""
    place: int | None = None
    is_joined: bool = True


_SHORT = r"-[a-zA-Z#]{0,20}?"
_PACKAGES = r"npm|pnpm|yarn|pip3?|poetry|composer|gem|cargo"

RULES = (
    Rule(r"docker|podman|nerdctl|buildah|skopeo|crane|oras|helm|regctl|az|oc", "-p", told="login"),
    Rule(r"twine|mongo\w*|cqlsh|mysql\w*|mariadb[\w\-]*|sshpass|7z\w?|lpass", "-p"),
    Rule(r"(?:redis|valkey|keydb)-(?:cli|benchmark)", "-a", is_joined=False),
    Rule(r"zip|unzip|ipmitool|sqlcmd|bcp|tsql|ssh-keygen", "-[PN]"),
    Rule(r"ldap\w+", "-w"),
    Rule(r"smbclient|rpcclient|net", "-U|--user", r"[^%\s]{1,80}%"),
    Rule(r"lftp", "-u|--user", r"[^,\s]{1,80},"),
    Rule(r"curl", rf"{_SHORT}[uU]|--user|--proxy-user", r"[^:\s]{0,80}:"),
    Rule(r"curl", rf"{_SHORT}b|--cookie", r"(?=[^=\s]{1,80}=)"),
    Rule(r"curl", rf"{_SHORT}E|--cert", r"[^:\s]{1,200}:"),
    Rule(r"curl|https?|xh", rf"{_SHORT}H|--(?:proxy-)?header", r"[\w\-]{1,80}:\s*"),
    Rule(r"https?|xh", "-a|--auth", r"(?:[^:\s]{0,80}:)?"),
    Rule(r"psql|pg_\w+", None, r"[\s\S]{0,400}?\bpassword\s*="),
    Rule(r"git", "-c|--config", r"(?i)http\.\S{0,200}?extraheader=(?:[\w\-]{1,80}:\s*)?(?:(?:basic|bearer)\s+)?"),
    Rule(r"git", r"http\.\S{0,200}extra[hH]eader", r"(?i)(?:[\w\-]{1,80}:\s*)?(?:(?:basic|bearer)\s+)?", told="config"),
    Rule(r"openssl", "-pass(?:in|out|word)?", "pass:", is_joined=False),
    Rule(r"openssl", "-[kK]|-hmac", is_joined=False),
    Rule(r"kubectl|oc", "--from-literal", r"[^=\s]{1,253}=", told="secret"),
    Rule(r"gh|glab", "-b|--body|--value", told="secret|variable"),
    Rule(r"vault", None, r"(?!-)[\w.\-]{1,80}=", told="put|write|patch"),
    Rule(r"vault|cargo", told="login", place=1),
    Rule(r"dotnet|nuget", "-k|-apikey", told="push", is_joined=False),
    Rule(
        r"aws", r"[\w.\-]{0,80}aws_(?:secret_access_key|session_token|access_key_id)", told="configure", is_joined=False
    ),
    Rule(_PACKAGES, r"\S{0,200}(?:_auth\w*|[tT]oken|_?password|[sS]ecret|[kK]ey)", told="config", is_joined=False),
    Rule(r"poetry|composer", told=r"http-basic\.\S{1,200}", place=3),
    Rule(r"htpasswd", told=r"-(?!\w*n)\w*b\w*", place=2),
    Rule(r"htpasswd", told=r"-\w*(?:n\w*b|b\w*n)\w*", place=1),
    Rule(r"rabbitmqctl", told="add_user|change_password|authenticate_user", place=2),
    Rule(r"nmcli|iwctl", "password|passphrase|wifi-sec\\.psk|802-11-wireless-security\\.psk", is_joined=False),
    Rule(r"wpa_passphrase", place=1),
)

# What reads a secret from what is before it in a pipe, or from what follows <<<.
_READS = re.compile(
    r"gh\s[^|]{0,200}--with-token|--(?:password|api-key|token|registry-token)-stdin|\bsudo\s[^|]{0,80}-S\b|\bchpasswd\b|-passin stdin"
)
_PIPED = re.compile(r"(?<![\w\-])(?:echo|printf)(?:\s+-\w+)?\s+(?P<value>[^|\n]{1,4096})\|(?P<reader>[^|\n]{1,400})")
_HERE = re.compile(r"(?P<reader>[^|\n<]{1,400})<<<\s*(?P<value>\"[^\"\n]*\"|'[^'\n]*'|\S+)")

# Parts of words, comments, and what ends a command.
_TOKEN = re.compile(
    r"""(?P<double>"(?:[^"\\]|\\[\s\S])*")|(?P<single>'[^']*')|(?P<comment>(?<!\S)\#[^\n]*)|(?P<gap>(?:[ \t\r]|\\\n)+)"""
    r"""|(?P<end>[\n|;&()]+)|(?P<escape>\\[\s\S])|[^\s"'\\|;&()]+|[\s\S]"""
)
_ESCAPE = re.compile(r'\\([\\"$`\n])|[\s\S]')

# So deep may commands be within quotes, and so many words after a program are looked at.
_MOST_DEEP, _MOST_WORDS = 4, 64


@attrs.define
class _Word:
    """A word of a command without its quotes, and where each of its characters is in the command.

    ``may_be_command`` says whether there is a space within quotes.
    """

    text: str
    at: Sequence[int]
    may_be_command: bool = False

    def from_(self, begin: int) -> Iterator[Place]:
        """Yield where the word is from one of its characters on, without quotes that have no end."""
        text = self.text[begin:].lstrip("\\\"'")
        if text:
            yield self.at[len(self.text) - len(text)], self.at[-1] + 1


def places(command: str) -> list[Place]:
    """Return where a line of a shell has secrets, as far as what is before them shows them."""
    return [*_places(command, range(len(command)), 0)]


def masked_arguments(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return a list of arguments without these secrets, and the secrets."""
    words, text, at = list[_Word](), "\0".join(arguments), 0
    if text.count("\0") >= max(1, len(arguments)):  # no program takes such an argument
        return [*arguments], []
    for argument in arguments:
        words.append(_Word(argument, range(at, at + len(argument)), may_be_command=any(map(str.isspace, argument))))
        at += len(argument) + 1
    found = [*_of_words(words, 0)]
    return masked(text, found).split("\0"), [text[begin:end] for begin, end in found]


def _places(text: str, at: Sequence[int], depth: int) -> Iterator[Place]:
    """Yield the places in the commands of a text, of which it is known where each character is."""
    for words in _commands(text, at):
        yield from _of_words(words, depth)
    if "|" in text or "<<<" in text:
        yield from ((at[begin], at[end - 1] + 1) for begin, end in _read_from(text) if end > begin)


def _commands(text: str, at: Sequence[int]) -> Iterator[list[_Word]]:
    """Yield the words of each command in a text."""
    words, parts = list[_Word](), list[re.Match[str]]()
    for match in _TOKEN.finditer(text):
        if match["gap"] is None and match["end"] is None and match["comment"] is None:
            parts.append(match)
            continue
        if parts:
            words.append(_word(text, parts, at))
            parts = []
        if match["end"]:
            yield words
            words = []
    yield [*words, _word(text, parts, at)] if parts else words


def _word(text: str, parts: list[re.Match[str]], at: Sequence[int]) -> _Word:
    begin, end = parts[0].start(), parts[-1].end()
    if not any(part["double"] or part["single"] or part["escape"] for part in parts):
        return _Word(text[begin:end], at[begin:end])
    shown, places = list[str](), list[int]()
    for part in parts:
        is_quoted = part["double"] or part["single"]
        inner = (part.start() + 1, part.end() - 1) if is_quoted else part.span()
        if part["double"] or part["escape"]:
            for match in _ESCAPE.finditer(text, *inner):
                shown.append(match[1] or match[0])
                places.append(at[match.start()])
        else:
            shown += text[inner[0] : inner[1]]
            places += at[inner[0] : inner[1]]
    has_space = any(each.isspace() for each in shown)
    return _Word("".join(shown), places, may_be_command=has_space)


def _of_words(words: list[_Word], depth: int) -> Iterator[Place]:
    for place, word in enumerate(words):
        if word.may_be_command and depth < _MOST_DEEP:
            yield from _places(word.text, word.at, depth + 1)
        if is_option(word.text) and place + 1 < len(words) and not words[place + 1].text.startswith("-"):
            yield from words[place + 1].from_(0)
        for rule in _rules_of(word.text.rpartition("/")[2].removesuffix(".exe")):
            yield from _by_rule(rule, words[place + 1 : place + 1 + _MOST_WORDS])


@lru_cache(maxsize=1024)
def _rules_of(program: str) -> tuple[Rule, ...]:
    return tuple(rule for rule in RULES if re.fullmatch(rule.programs, program))


def _by_rule(rule: Rule, words: list[_Word]) -> Iterator[Place]:
    told = (
        next((place for place, word in enumerate(words) if re.fullmatch(rule.told, word.text)), None)
        if rule.told
        else 0
    )
    if told is None:
        return
    if rule.place is not None:
        plain = [word for word in words if not word.text.startswith("-")]
        yield from plain[rule.place].from_(0) if len(plain) > rule.place else ()
        return
    for place, word in enumerate(words[told:], told):
        yield from _by_option(rule, word, words[place + 1] if place + 1 < len(words) else None)


def _by_option(rule: Rule, word: _Word, after: _Word | None) -> Iterator[Place]:
    if rule.options is None:
        yield from _after_lead(rule, word, 0)
    elif re.fullmatch(rule.options, word.text):
        if after is not None and not after.text.startswith("-"):
            yield from _after_lead(rule, after, 0)
    else:
        is_joined = rule.is_joined and not word.text.startswith("--")
        match = re.match(rf"(?:{rule.options}){'=?' if is_joined else '='}", word.text)
        yield from _after_lead(rule, word, match.end()) if match else ()


def _after_lead(rule: Rule, word: _Word, at: int) -> Iterator[Place]:
    lead = re.compile(rule.lead).match(word.text, at)
    if lead is not None:
        yield from word.from_(lead.end())


def _read_from(text: str) -> Iterable[Place]:
    for pattern in (_PIPED, _HERE):
        for match in pattern.finditer(text):
            if _READS.search(match["reader"]):
                value = match["value"].strip().strip("\"'")
                begin = match.start("value") + match["value"].find(value)
                yield begin, begin + len(value)
