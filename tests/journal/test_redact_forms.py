"""No form of a secret is shown: not in a text, not in any division of it into pieces, and not in the log; harmless texts stay.

One table has for each form texts with a secret, and texts that only look alike.
"""

from __future__ import annotations

import string
from collections import OrderedDict
from collections.abc import Iterator

import attrs
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openai_codex._journal.beginnings import unfinished_value
from openai_codex._journal.harmless import is_harmless
from openai_codex._journal.redact import Redactor
from openai_codex._runtime import assigned, display
from openai_codex._runtime.display import hide
from openai_codex._runtime.secret_names import may_name_secret
from tests.journal.test_deltas import cut, encoded, frame_of, joined, written

DELTA = "item/agentMessage/delta"


@attrs.frozen
class Form:
    """How a secret may stand in a text.

    Attributes:
        name: The form.
        texts: With a secret, which is written ``{}``.
        harmless: Without one.
        secret: What secrets of this form consist of; without it letters and digits.
    """

    name: str
    texts: tuple[str, ...]
    harmless: tuple[str, ...] = ()
    secret: str = ""


FORMS = [
    Form(
        "url",
        (
            "clone https://{}@github.com/o/r.git now",
            "clone https://{}:x-oauth-basic@github.com/o/r.git now",
            "redis://:{}@host:6379/0",
            "postgres://me:{}@host/db and more",
        ),
        (
            "git@github.com:o/r.git",
            "ssh://git@host/o/r.git",
            "https://user@host/path, https://jane.doe1990@host/",
            "https://host/a@b, http://127.0.0.1:8080/x1y2@3",
            "see https://host/path/0123456789abcdef0123",
        ),
    ),
    Form(
        "header",
        (
            "Authorization: Bearer {}\nnext",
            "Authorization:  Bearer  {}\nnext",
            "Authorization:\tBearer\t{} next",
            "authorization: bearer\n{}\nnext",
            "Authorization:\n    Basic {}\nnext",
            "Authorization:\n    {}\nnext",
            "-H 'Authorization: token {}' x",
            'headers = {{"Authorization": "Bearer {}"}}',
            "headers: {{ Authorization: 'Bearer {}' }}",
            "use Bearer  {} here",
            "use bearer\n{} here",
            "Proxy-Authorization:   Basic   {}\n",
            "x-goog-api-key:  {} is sent",
        ),
        (
            "a basic usage, the Basic\tidea and the bearer  of news",
            "Basic  Authentication2 is off. The bearer\nof it.",
            "Authorization:\n- the user\n- the admin\n",
        ),
    ),
    Form("basic", ("it sent Basic {}==, so", "basic\t{} here", "Basic\n{}=\n"), (), "Aa1/"),
    Form(
        "code",
        (
            'api_key = "{}"',
            "api_key='{}', x=1",
            "client = Client(api_key={}, timeout=3)",
            'const apiKey = "{}";',
            'apiKey: "{}",',
            "let token: &str = '{}';",
            'password: str = "{}"',
            'token := "{}"',
            "'password' => '{}',",
            ':secret => "{}"',
            'config["password"] = "{}"',
            "headers['X-Api-Key'] = '{}'",
            'if password == "{}": pass',
            'SECRET_KEY = "{}"',
            'db.password = b"{}"',
            'private_key = """{}"""',
            "setup(password=r'{}')",
            'text = "{{\\"apiKey\\": \\"{}\\"}}"',
            '{{"password": "a\\"{}"}}',
            'API_TOKEN="two {} words" make',
            "authToken=`{}`",
            "<password>{}</password>",
            "code_verifier={}",
            'otp = "{}"',
            "pw = '{}'",
            "mfa: {}",
            "userPin = '{}'",
            'refresh: "{}"',
            "session_id={} sid={}",
            '{{"session_id": "{}"}}, it says',
            '"auth": "{}" in the text',
            "jwt = {}",
            "GITHUB_PAT={}",
            "--dsn={}",
            'user_code = "{}"',
        ),
        (
            "token = next(tokens)",
            "def f(token: str, key=None, *, password: str | None = None) -> None: ...",
            'api_key = os.environ["X"]',
            "token: str",
            "    token: Token = field(default=None)",
            "password = getpass()\nsecret = self.config2.secret",
            "key: [u8; 32], token: u64, secret: uint256",
            'for key in table: print(key)\nkey = "name"',
            "if token == other: return\nkey != value",
            "tokenizer = 'cl100k_base', keyboard: 'us', monkey = \"x\"",
            'api_key = ""\ntoken = "$TOKEN", password = "{password}", secret = "<your secret>"',
            "spinner=1, pinned: true, opinion = 'mine1234', inside=12345, path=/a/b1, footprint=12345678",
            "pin = 13",
            "auto_refresh=true, refresh: false, refresh_rate=60",
            "session_id: 0199a7c2-6c1e-7d2b-8f00-0123456789ab",
            "login <token> <user>",
            "max_tokens=100, MAX_TOKENS=4096 and key: value",
            "USE_AUTH=true API_KEY=$OTHER API_KEY=<your key>",
            "return x->key > token",
            "assert token == expected1 and secret != other12",
        ),
    ),
    Form(
        "settings",
        (
            "password: {}\nnext: 1",
            "db:\n  password: '{}'\n",
            "password: |\n  {}\nnext: 1",
            "secret: >-\n  {}\n",
            "//registry.npmjs.org/:_authToken={}\n",
            "//registry.example/path/:_password={}\n",
            "_auth = {}\n",
            "machine h login u password {}\nmachine i",
            "machine h\n  login u\n  password {}\n",
            "machine h password {} login u",
            "default login u password {}\n",
            "host:5432:db:user:{}\n",
            "*:*:*:*:{}\n",
            "aws_secret_access_key = {}\nregion = x",
            "aws_session_token={}\n",
            "spring.datasource.password={}\n",
            "api_key={}\n",
            '[tool]\ntoken = "{}"\n',
            "- name: DB_PASSWORD\n  value: {}\n",
            '- name: API_TOKEN\n          value: "{}"\n',
            "export FOO_TOKEN={}\n",
            "export FOO_TOKEN=a\\{} make",
            "DB_PASS='{}'",
        ),
        (
            "password: string\ntoken: ${TOKEN}\nsecret: !Ref Secret\n",
            "//registry.npmjs.org/:_authToken=${NPM_TOKEN}\n",
            "machine learning, login and the password of it",
            "src/a.c:12:34:error:undefined1 and 12:30:45:6:x7",
            "- name: HOME\n  value: x1y2z3\n",
            "[tool]\nkey = \"name\"\npublic_key = 'x'\n",
        ),
    ),
    Form(
        "digits",
        ("pin: {}\n", "otp={} x", "mfa_code = {}\n", "TOTP={} make", "password = {}\n"),
        ("pin: 13", "count: 123456", "exit code: 123456"),
        "1",
    ),
    Form(
        "device code",
        (
            "Now enter code {} there",
            "enter the code {} to authenticate.",
            "Enter this one-time code (expires in 15 minutes)\n   {}\n",
            "! First copy your one-time code: {}\n",
            "Then enter the code:\n\n{}\n\nAlternatively",
            "**user code**: `{}`",
            "user_code: {}\n",
            '"user_code": "{}" and',
            "https://host/device?user_code={}&x=1",
            "device code is {}.",
        ),
        (
            "the code in PROJ-1234 uses UTF-8 and RFC-2119",
            "enter the code path of the device",
            "error code ABCD-1234",
            "use the code from 20261126 for it",
        ),
        "A-",
    ),
    Form(
        "prose",
        ("the password is {}, he says", "my passphrase was {}", "Passwd: '{}'"),
        ("The password is required. The passcode is 1234, and a password was sent.",),
    ),
]

WORDS = {
    "": st.text(string.ascii_letters + string.digits, min_size=18, max_size=40).map("q7{}".format),
    "Aa1/": st.text(string.ascii_letters + string.digits + "+/", min_size=12, max_size=30).map("dX1{}".format),
    "1": st.text(string.digits, min_size=5, max_size=8),
    "A-": st.builds(
        "{}-{}".format,
        st.text(string.ascii_uppercase + string.digits, min_size=4, max_size=4),
        st.text(string.ascii_uppercase + string.digits, min_size=4, max_size=5),
    ),
}
CASES = [
    pytest.param(text, form, id=f"{form.name}-{number}") for form in FORMS for number, text in enumerate(form.texts)
]
HARMLESS = [text for form in FORMS for text in form.harmless]


@pytest.fixture(autouse=True, scope="module")
def nothing_is_known() -> Iterator[None]:
    """A word here may be a secret that another test has passed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(display, "_known", OrderedDict())
        yield


def in_pieces(pieces: list[str]) -> list[str]:
    """Return what a journal has of a text that comes in these pieces: one by one, and in batches as a runtime writes them."""
    frames = [frame_of(DELTA, piece) for piece in pieces]
    batches = [frames[at : at + 3] for at in range(0, len(frames), 3)]
    one_by_one = [[frame] for frame in frames]
    return [joined(found) for found in (written(frames), encoded(one_by_one), encoded(batches))]


def parts_of(secret: str, shown: str) -> list[str]:
    """Return which parts of a secret are shown."""
    size = min(5, len(secret))
    return [part for at in range(len(secret) - size + 1) if (part := secret[at : at + size]) in shown]


def check(whole: str, secret: str, pieces: list[str]) -> None:
    shown = [Redactor().text(whole), hide(whole), *in_pieces(pieces)]
    assert [each for each in shown if parts_of(secret, each)] == []
    assert [each for each in shown if "***" not in each] == []
    assert Redactor().text(shown[0]) == shown[0], "what is masked once stays as it is"


@pytest.mark.parametrize(("text", "form"), CASES)
@settings(max_examples=10)
@given(data=st.data())
def test_a_secret_is_shown_in_no_division(text: str, form: Form, data: st.DataObject) -> None:
    secret = data.draw(WORDS[form.secret])
    whole = text.format(*[secret] * text.count("{}"))
    assert Redactor().may_hide(whole)
    check(whole, secret, cut(whole, data.draw(st.lists(st.integers(0, 400), max_size=12))))


@pytest.mark.parametrize(("text", "form"), CASES)
def test_a_secret_is_not_shown_character_by_character(text: str, form: Form) -> None:
    secret = {"": "q7Rt9xWm4KpZ2bLs8Vd0", "Aa1/": "dXNlcjpwYXNzd29yZDE", "1": "481516", "A-": "WDJB-MJHT"}[form.secret]
    whole = text.format(*[secret] * text.count("{}"))
    check(whole, secret, [*whole])


@pytest.mark.parametrize("text", HARMLESS)
@settings(max_examples=10)
@given(places=st.lists(st.integers(0, 400), max_size=12))
def test_what_only_looks_alike_stays(text: str, places: list[int]) -> None:
    assert {Redactor().text(text), hide(text), *in_pieces(cut(text, places))} == {text}


@pytest.mark.parametrize("text", HARMLESS)
def test_what_only_looks_alike_stays_character_by_character(text: str) -> None:
    assert {*in_pieces([*text])} == {text}


def test_a_name_is_known_whose_beginning_is_long_past() -> None:
    """A name is remembered as long as its value may begin; what else was written before does not matter."""
    pieces = ["x" * 500, " FOO", "_TOK", "EN", "=", "q7Rt9x", "Wm4KpZ2b", " and", " more"]
    assert {*in_pieces(pieces)} == {"x" * 500 + " FOO_TOKEN=*** and more"}


def test_what_is_found_in_one_text_of_a_batch_is_not_found_across_two() -> None:
    frames = [
        frame_of(DELTA, "the token:", "a"),
        frame_of(DELTA, " q7Rt9xWm4KpZ2b ", "b"),
        frame_of(DELTA, " is it", "a"),
    ]
    found = encoded([frames])
    assert joined([each for each in found if each["params"]["itemId"] == "b"]) == " q7Rt9xWm4KpZ2b "
    assert joined([each for each in found if each["params"]["itemId"] == "a"]) == "the token: is it"


@given(
    before=st.sampled_from(["", "x", "my_", "App", "--", "X-", "é"]),
    name=st.sampled_from(
        [
            "token",
            "key",
            "secret",
            "password",
            "passwd",
            "passphrase",
            "passcode",
            "authorization",
            "bearer",
            "credential",
            "cookie",
            "dsn",
            "pwd",
            "jwt",
            "signature",
            "pass",
            "auth",
            "code_verifier",
            "codeVerifier",
            "refresh",
            "user_code",
            "deviceCode",
            "pairing-code",
            "otp",
            "pin",
            "mfa",
            "totp",
            "sid",
            "pat",
            "mfa_code",
            "session_id",
            "sessionId",
            "PIN",
            "Otp",
            "basic_auth",
            "clientSecret",
        ]
    ),
    after=st.sampled_from(['="{}"', ": '{}'", " = {}", ":{}", "={}", '": "{}"', '\\": \\"{}\\"', " => '{}'", ">{}</"]),
)
@settings(max_examples=600)
def test_what_is_searched_first_misses_nothing(before: str, name: str, after: str) -> None:
    """The cheap searches say no only where nothing is found."""
    text = f"it is {before}{name}{after.format('q7Rt9xWm4KpZ2bLs8Vd0')} here"
    if assigned.places(text):
        assert may_name_secret(text)
        assert Redactor().may_hide(text)
        assert not is_harmless(orjson.dumps({"text": text}).decode(), ())
        assert not Redactor().is_harmless(orjson.dumps({"params": {"text": text}}).decode())


def test_each_form_is_searched_in_a_time_that_grows_with_its_length_only() -> None:
    parts = [text.split("{}")[0].replace("{{", "{").replace("}}", "}") for form in FORMS for text in form.texts]
    for part in (
        *parts,
        "key=",
        "key=a1",
        "key: |\n",
        "key: a =",
        "\\",
        "key=\\",
        "code ",
        "enter code A-",
        "machine a login ",
        "a:*:",
    ):
        text = part * (30_000 // len(part))
        assigned.places(text)
        hide(text[:10_000])
        unfinished_value(text[: 1 << 13], 0)
