"""Which words of a command are secret, by the program that it runs: in a line of a shell, and as a list of arguments."""

from __future__ import annotations

import shlex
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openai_codex._cli.output import masked
from openai_codex._journal.commands import masked_arguments, places
from openai_codex._journal.redact import Redactor

S = "sw0rdf1sh"

COMMANDS = [
    f"docker login -u me -p {S} registry.example",
    f"docker --config /x login registry.example -p{S}",
    f"podman login --password={S} registry.example",
    f"redis-cli -h db -a {S} ping",
    f"az login --service-principal -u id -p {S} --tenant t",
    f"curl -s -u me:{S} https://host",
    f"curl -sSu me:{S} https://host",
    f"curl -ume:{S} https://host",
    f"curl --proxy-user=me:{S} https://host",
    f"curl -b session={S} https://host",
    f"curl -H 'X-Any: {S}' https://host",
    f"http -a me:{S} https://host",
    f"mysql -u root -p{S} -h db shop",
    f"mysqldump --host=db -p {S} shop",
    f"mariadb-dump -p{S} shop",
    f"sshpass -p {S} ssh me@host",
    f"sshpass -p{S} ssh me@host",
    f"psql postgres://me:{S}@host/db -c 'select 1'",
    f"psql 'host=db user=me password={S} dbname=x'",
    f"git -c http.extraHeader='Authorization: Basic {S}' fetch",
    f"git -c http.https://host/.extraheader='AUTHORIZATION: bearer {S}' fetch",
    f"git -c http.extraheader=X-Any:{S} fetch",
    f"git config --global http.extraHeader 'X-Any: {S}'",
    f"git clone https://{S}0123456789ab@github.com/o/r",
    f"openssl rsa -in k.pem -passin pass:{S}",
    f"openssl enc -aes-256-cbc -k {S} -in x",
    f"htpasswd -b file user {S}",
    f"htpasswd -nb user {S}",
    f"htpasswd -cbB file user {S}",
    f"aws configure set aws_secret_access_key {S}",
    f"aws configure set profile.x.aws_session_token {S} --profile x",
    f"kubectl -n x create secret generic name --from-literal=k={S}",
    f"kubectl create secret generic name --from-literal k={S}",
    f"kubectl create secret docker-registry x --docker-password={S}",
    f"npm config set //registry.npmjs.org/:_authToken {S}",
    f"npm config set //registry.npmjs.org/:_authToken={S}",
    f"poetry config http-basic.name user {S}",
    f"gh secret set NAME --body {S}",
    f"vault kv put secret/x name={S}",
    f"vault login {S}",
    f"smbclient //host/share -U me%{S}",
    f"ldapsearch -x -w {S} -b dc=x",
    f"zip -P {S} x.zip y",
    f"7z x -p{S} x.7z",
    f"rabbitmqctl add_user me {S}",
    f"tool --verbose --api-key {S}",
    f"tool --otp {S}",
]
LINES = [
    f"echo {S} | gh auth login --with-token",
    f"gh auth login --with-token <<< {S}",
    f"gh auth login --hostname h --with-token <<< '{S}'",
    f"printf '%s' '{S}' | docker login --password-stdin -u me host",
    f"echo -n {S} | sudo -S ls",
    f"echo me:{S} | chpasswd",
    f"cd /x && mysql -p{S} shop | cat; ls",
    f"# it's a comment\nmysql -p{S} shop",
    f"mysql \\\n  -u root \\\n  -p{S} shop",
    f"mysql -e 'select 1; select 2' -p{S} shop",
    f"x=$(mysql -p{S} shop)",
    f"if true; then mysql -p{S} shop; fi",
    f"docker exec db mysql -p{S} shop",
    f"cat <<EOF\nit's\nEOF\nredis-cli -a {S} ping",
]
HARMLESS = [
    "docker run -p 8080:80 -e A=1 image login",
    "ssh -p 2222 me@host; mkdir -p a/b; cp -a x y",
    "curl -sS -o out.html https://host -b cookies.txt",
    "curl -u me https://host",
    "mysql -p -u root shop",
    "git -c user.name=me commit -m 'the password of http.extraHeader'",
    "openssl rsa -in in.pem -out x.pem -passout stdin",
    "htpasswd file user",
    "aws configure set region eu-west-1",
    "kubectl get secret name -o yaml",
    "npm config get registry",
    "echo hello | gh issue create --body-file -",
    "psql -h db -p 5432 -U me",
    "redis-cli -h db ping",
    "vault kv get secret/x",
    "grep -a x file | sort -u | zip -r x.zip -",
    "python -m pytest -p no:cacheprovider",
]
PREFIXES = [
    "",
    "sudo ",
    "sudo -u me ",
    "env A=1 B=2 ",
    "/usr/local/bin/",
    "A=1 ",
    "timeout 10 ",
    "nice -n 5 sudo /usr/bin/",
]


def shown(command: str | list[str]) -> Any:
    return Redactor().frame("<", {"params": {"command": command}})["params"]["command"]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_secret_of_a_command_is_masked(command: str) -> None:
    for prefix in PREFIXES:
        line = prefix + command
        nested = [f"bash -lc {shlex.quote(line)}", f'sh -c "{line}"', f"cd /x && {line} && ls -l 'a b'"]
        lines = [line, *nested, shlex.split(line), ["bash", "-lc", line], ["sh", "-c", nested[0]]]
        for each in lines:
            text = str(shown(each))
            assert S not in text, each
            assert "***" in text
            assert S not in masked(shlex.join(each) if isinstance(each, list) else each)
        assert shown(line).split()[0] == line.split()[0]


@pytest.mark.parametrize("command", LINES)
def test_a_secret_of_a_line_of_a_shell_is_masked(command: str) -> None:
    for line in (command, f"bash -lc {shlex.quote(command)}", ["bash", "-lc", command]):
        assert S not in str(shown(line))


@pytest.mark.parametrize("command", HARMLESS)
def test_a_command_without_a_secret_stays(command: str) -> None:
    for line in (command, f"sudo {command}", shlex.split(command), ["bash", "-lc", command]):
        assert shown(line) == line


@settings(max_examples=50)
@given(
    st.sampled_from([each for each in (*COMMANDS, *LINES) if "://" not in each]),
    st.text("abXY019_+=/.,@%", min_size=6, max_size=20).map("q7{}zK".format),
)
def test_any_secret_is_masked(command: str, secret: str) -> None:
    assert secret not in shown(command.replace(S, secret))


def test_a_command_is_searched_in_a_time_that_grows_with_its_length_only() -> None:
    for part in (
        "mysql ",
        "mysql -p ",
        '"',
        "'",
        "\\",
        "curl -u a:",
        '"a b" ',
        "# ",
        "echo x |",
        "<<< x",
        "git -c ",
        "-p",
        "(",
        "\\'",
    ):
        places(part * (100_000 // len(part)))


def test_arguments_with_a_nul_are_left_to_others() -> None:
    assert masked_arguments(["mysql", "-p\0x"]) == (["mysql", "-p\0x"], [])
