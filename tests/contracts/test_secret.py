"""What is seen to be a secret without a type: names of fields, and texts."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corral.contracts.redaction import redacted
from corral.contracts.secret import MASK, looks_secret, masked_text

NAMES_OF_SECRETS = (
    "password", "db_password", "newPassword", "user[password]", "login.password", "Passphrase", "passwords",
    "password_hash", "passwordHash", "password2", "password_confirmation", "hashed_password", "new_password_again",
    "token", "github_token", "device_token", "authToken", "x-csrf-token", "access_tokens", "token_hash",
    "API-Key", "apikey", "userAPIKey", "api_keys", "SECRET_KEY", "aws_secret_access_key", "ssh key", "clientSecret",
    "Authorization", "Proxy-Authorization", "Set-Cookie", "cookies", "session_id", "credentials", "jwt", "DB_PASS",
    "cardNumber", "card_no", "credit_card", "CVV", "cvc2", "ssn", "otp", "pwd",
)  # fmt: skip
OTHER_NAMES = (
    "token_count", "max_tokens", "tokens", "total_tokens", "token_type", "tokenizer", "password_changed_at",
    "password_policy", "secret_name", "secret_id", "secretary", "passport", "compass", "bypass", "author", "name",
    "key", "monkey", "cookie_consent", "card", "number", "session", "/oauth/token", "p" * 1000, "",
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES_OF_SECRETS)
def test_names_of_secrets(name: str) -> None:
    """A name that ends in what a secret is called, however its words are put together, is one; so is the secret in
    another form: its hash, its repetition, its number. Whether there is one is told."""
    assert looks_secret(name)
    assert redacted({name: "x"}) == {name: MASK}
    assert redacted({name: ["x"]}) == {name: MASK}
    assert redacted({name: True, "": {name: None}}) == {name: True, "": {name: None}}


@pytest.mark.parametrize("name", OTHER_NAMES)
def test_other_names(name: str) -> None:
    """What is said about a secret (how many, since when, of what kind) is shown, and what only sounds like one."""
    assert not looks_secret(name)
    assert redacted({name: "x"}) == {name: "x"}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Authorization: Bearer abcdefgh12345678", f"Authorization: Bearer {MASK}"),
        ("authorization: Token abcdefgh12345678, x", f"authorization: Token {MASK}"),
        ("Bearer  abcdefgh12345678", f"Bearer  {MASK}"),
        ("Cookie: a=b; sid=c\nHost: x", f"Cookie: {MASK}\nHost: x"),
        ("redis://user:hunter2@host:6379/0", f"redis://user:{MASK}@host:6379/0"),
        ("paid with 4111 1111 1111 1111 today", f"paid with {MASK} today"),
        ("paid with 4111111111111111.", f"paid with {MASK}."),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----", MASK),
        ("key=-----BEGIN PRIVATE KEY-----\nMIIE", f"key={MASK}"),
        ("eyJhbGciOiJI.eyJzdWIiOiIx.c2lnbmF0dXJl", MASK),
        ("sk_live_0123456789abcdef", MASK),
        *((f"({start}0123456789abcdef)", f"({MASK})") for start in ("ghp_", "ghs_", "ghu_", "ghr_", "github_pat_")),
        ("password=hunter2", f"password={MASK}"),
        ("Password = hunter2 for bob", f"Password = {MASK} for bob"),
        ("Server=x;Password=abc;Port=1", f"Server=x;Password={MASK};Port=1"),
        ("GET /?access_token=abc&page=1", f"GET /?access_token={MASK}&page=1"),
        ("user[password]=a&b=c", f"user[password]={MASK}&b=c"),
        ("login failed, token: a1b2", f"login failed, token: {MASK}"),
        ("password: correcthorse", f"password: {MASK}"),
        ("name: token: a1", f"name: token: {MASK}"),
        ("{'password': 'hun ter', 'n': 1}", f"{{'password': '{MASK}', 'n': 1}}"),
        (r'{"password":"a\"b","n":1}', f'{{"password":"{MASK}","n":1}}'),
        (r'"{\"password\": \"ab\", \"n\": 1}"', rf'"{{\"password\": \"{MASK}\", \"n\": 1}}"'),
        ("x['db_password'] = 'a b'", f"x['db_password'] = '{MASK}'"),
        ("secret=[1, 2], n=3", f"secret=[{MASK}"),
        ("password=b'hunter2' n=1", f"password=b'{MASK}' n=1"),
        ("{'api_key': b'abcd1234'}", f"{{'api_key': b'{MASK}'}}"),
        ("Creds(token=SecretBox('zz-1234'))", f"Creds(token=SecretBox('{MASK}'))"),
        ("passwords=[['a1', 'b2'], 'zz']", f"passwords=[{MASK}"),
        ("secret={'a': {'x': 1}, 'b': 'leak'}", f"secret={{{MASK}"),
        ('Authorization: Digest username="bob", response="abcdef12"', f"Authorization: Digest {MASK}"),
    ],
)  # fmt: skip
def test_texts_that_look_secret(text: str, shown: str) -> None:
    """Keys, tokens, passwords in URLs, numbers of cards, and what stands behind the name of a secret, are masked
    wherever they stand, and what is around them is not."""
    assert masked_text(text) == shown
    assert redacted([{"note": text}]) == [{"note": shown}]
    assert redacted({text: 1}) == {shown: 1}


@pytest.mark.parametrize(
    "text",
    [
        "order 4111111111111112", "at 1767225600000 ms", "0.4111111111111111", "id 1767225600009",
        "nothing to see, mail ann@example.org",
        "token_count=5, max_tokens: 7", "login.password: Field required", "password: Input should be a valid string",
        "Unexpected token: }", "if password == expected:", "password=None, token: null", "std::token::abc",
        "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----", "the token expired", "https://host:80/a",
    ],
)  # fmt: skip
def test_texts_that_do_not(text: str) -> None:
    """Numbers, counts, sentences about a field, and code are left as they are."""
    assert masked_text(text) == text


PIECES = (
    "password", "token", "=", ": ", "'", '"', "\\", "[", "]", ",", ";", " ", "\n", "a", "1", MASK, "Bearer ", "eyJ",
    ".", "://", "@", "Cookie", "authorization", "abcdefghij", "4111111111111111", "sk-", "-----BEGIN PRIVATE KEY-----",
)  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_masking_twice_changes_nothing(text: str) -> None:
    """What is masked already stays as it is."""
    once = masked_text(text)
    assert masked_text(once) == once


@pytest.mark.parametrize(
    "piece",
    [
        "-eyJaaaaaaaaa", "eyJaaaaaaaa.", "_eyJ", "4", "4 ", "4-", "Bearer ", "basic a", "://", "://a:", "a:b@", "sk-",
        "ghp_", "-----BEGIN ", "-----BEGIN PRIVATE KEY-----", "-----BEGIN A ", "-----END ", "authorization: ",
        "Cookie:", "Cookie: '", "password", "password=", "password: a ", 'password="', "password='\\", "password: ",
        "token:\\\"", "token={", "a=", "a.", "[", "token ", "a]\"'", " \t", "\\\"", "•",
    ],
    ids=repr,
)  # fmt: skip
def test_linear_time(piece: str) -> None:
    """Ten times the text takes about ten times as long, whatever it repeats: not a hundred times."""
    short = _seconds(piece * (100_000 // len(piece)) + "!")
    assert short < 1  # else the long text would take minutes
    assert _seconds(piece * (1_000_000 // len(piece)) + "!") < 40 * max(short, 0.01)


def _seconds(text: str) -> float:
    began = time.process_time()
    masked_text(text)
    return time.process_time() - began
