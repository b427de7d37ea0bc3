"""Nothing secret gets through, and what is no secret does."""

from __future__ import annotations

import base64
import json
import string

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kubetour.redact import GONE, redact, redacted, whole

SECRET = "hunter2-Zq9"
DOCKER_CONFIG = {"auths": {"registry.example": {"auth": "bWU6aHVudGVyMg=="}}}
ENCODED = base64.b64encode(json.dumps(DOCKER_CONFIG).encode()).decode()
INDENTED = base64.b64encode(json.dumps(DOCKER_CONFIG, indent=4).encode()).decode()
PEM = "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIB\nx==\n-----END EC PRIVATE KEY-----"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        pytest.param(f"password: {SECRET}\nuser: me", f"password: {GONE}\nuser: me", id="YAML"),
        pytest.param(f'{{"Password": "{SECRET}", "a": 1}}', f'{{"Password": "{GONE}", "a": 1}}', id="JSON"),
        pytest.param(r'"token": "a\"b c", "d": 1', f'"token": "{GONE}", "d": 1', id="a quote in it"),
        pytest.param(r'"{\"auth\":\"bWU6\"}"', rf'"{{\"auth\":\"{GONE}\"}}"', id="JSON in JSON"),
        pytest.param(f"DB_PASSWORD={SECRET} x", f"DB_PASSWORD={GONE} x", id="a variable"),
        pytest.param("PASSWORD='two words' x", f"PASSWORD='{GONE}' x", id="a quoted variable"),
        pytest.param("client-key-data: LS0tLS1CRUdJTg==", f"client-key-data: {GONE}", id="kubeconfig"),
        pytest.param("aws_secret_access_key = abc/d", f"aws_secret_access_key = {GONE}", id="a cloud's key"),
        pytest.param('token: "null-and void"', f'token: "{GONE}"', id="it begins as no secret does"),
        pytest.param("token: true-horse{ x", f"token: {GONE} x", id="so does one without quotes"),
        pytest.param("password='{a}'", f"password='{GONE}'", id="it begins with a bracket"),
        pytest.param('password: ab"c,d;e}f\\ng', f"password: {GONE}\\ng", id="marks within it"),
        pytest.param('{token: abc}, "x"', f'{{token: {GONE}}}, "x"', id="in a flow mapping"),
        pytest.param(f'"auth": "{ENCODED} tail"', f'"auth": "{GONE}"', id="only a part of it is encoded"),
        pytest.param("docker login --password hunter2 r", f"docker login --password {GONE} r", id="flag"),
        pytest.param("kubectl --token=abc get pods", f"kubectl --token={GONE} get pods", id="flag with ="),
        pytest.param("Authorization: Basic bWU6eA==", f"Authorization: {GONE}", id="basic"),
        pytest.param("'Authorization: Bearer abcdef123'", f"'Authorization: {GONE}'", id="a header"),
        pytest.param("got Bearer abcdef0123456789.x", f"got Bearer {GONE}", id="bearer"),
        pytest.param("eyJhbGciOiJSUzI1NiIsImtpZCI6.eyJpc3Mi.c2ln ok", f"{GONE} ok", id="a JWT"),
        pytest.param(f".dockerconfigjson: {ENCODED}", f".dockerconfigjson: {GONE}", id="dockerconfigjson"),
        pytest.param(f"data: {ENCODED}.", f"data: {GONE}.", id="JSON in base64"),
        pytest.param(f"data: {INDENTED}", f"data: {GONE}", id="indented JSON in base64"),
        pytest.param(f"key:\n{PEM}\nmore", f"key:\n{GONE}\nmore", id="a private key"),
        pytest.param(PEM[:50], GONE, id="a private key that was cut"),
        pytest.param("https://me:pw@host/x", f"https://{GONE}@host/x", id="URL"),
        pytest.param("'/home/ann/my k8s/x'", "'~/my k8s/x'", id="a home"),
        pytest.param("/root/.kube/config: no", "~/.kube/config: no", id="root's home"),
        pytest.param("cd /Users/ann && ls", "cd ~ && ls", id="a Mac's home"),
        pytest.param("in /data/people/ann/.kube", "in ~/.kube", id="a home in an unusual place"),
    ],
)
def test_what_is_secret_is_taken_out_and_the_rest_stays(text: str, left: str) -> None:
    assert redact(text, "/data/people/ann") == left


@pytest.mark.parametrize(
    "text",
    [
        "automountServiceAccountToken: false",
        "imagePullSecrets:\n- name: kubetour-registry",
        "kind: Secret",
        "type: kubernetes.io/dockerconfigjson",
        'error: secrets "x" is forbidden',
        '"token": ""',
        '"token": null, "auth": {"a": [1]}',
        "TokenExpirationSeconds:  3607",
        "// app.js@1",
        "author: somebody",
        "WORKDIR /srv/home/x",
        "/homeland /rooted /data/people/annette",
        "https://127.0.0.1:6443/api?a=b@c",
        "sha256:54a54f5e1c5d6317f08b5c03a6bbcc8c94077aec815f9692246d8c82d4198196",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert redact(text, "/data/people/ann") == text


SECRETS = st.text(string.ascii_letters + string.digits + "+/_-", min_size=12, max_size=80)
PASSWORDS = st.from_regex(r"\A[a-z!#$%&(){}\[\]*+./:<=>?@^_`|~,;-]{10,40}[a-z]\Z")
AROUND = st.text(max_size=60)
FORMS = (
    "password: {}\n",
    '"password": "{}",',
    '\\"auth\\":\\"{}\\"',
    "API_KEY={} ",
    "--token {} ",
    "Authorization: Bearer {}\n",
    "Bearer {} ",
    "https://me:{}@host",
    "https://{}@host",
    "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----",
    '".dockerconfigjson": "{}"',
    "client-key-data: {}\n",
    " eyJ{}aaaa.{} ",
)


@given(secret=SECRETS, form=st.sampled_from(FORMS), before=AROUND, after=AROUND)
def test_a_secret_never_gets_through_whatever_stands_around_it(
    secret: str, form: str, before: str, after: str
) -> None:
    if "://" in form:
        secret = secret.replace("/", "%2F")  # as in any URL: there, a slash ends the credentials
    assume(secret not in before + after)
    assert secret not in redact(f"{before}\n{form.replace('{}', secret)}{after}")


@given(
    secret=PASSWORDS,
    form=st.sampled_from(('"password": "{}"', "PASSWORD='{}'", '\\"auth\\": \\"{}\\"')),
    before=AROUND,
)
def test_a_quoted_password_never_gets_through_whatever_is_in_it(secret: str, form: str, before: str) -> None:
    assume(secret not in before)
    assert secret not in redact(f"{before}\n{form.replace('{}', secret)}\n")


@given(
    st.lists(st.sampled_from([*FORMS, "/home/x/", '"', "'", "\\", ": ", "{}", "\n"]) | AROUND, max_size=12)
)
def test_twice_is_the_same_as_once(parts: list[str]) -> None:
    once = redact("".join(parts).replace("{}", "a1B2c3D4e5F6g7H8"))
    assert redact(once) == once


def test_every_text_of_a_json_value_is_redacted_names_included() -> None:
    value = {"/home/ann/x": ["password: x", {"a": ("token=y", 1, None, True)}]}
    assert redacted(value) == {"~/x": [f"password: {GONE}", {"a": [f"token={GONE}", 1, None, True]}]}


def test_half_a_surrogate_pair_can_be_written() -> None:
    assert whole("a\ud800b").encode() == b"a?b"
    assert redacted(json.loads('"\\udfff"')) == "?"


@pytest.mark.parametrize(
    "piece", ['password:"', "token ", "://", "eyJ", "auth\"'", "\\", "--a-", "-----BEGIN "]
)
def test_a_huge_text_that_nearly_matches_comes_to_an_end(piece: str) -> None:
    text = piece * (200_000 // len(piece))
    assert len(redact(text)) > 0
