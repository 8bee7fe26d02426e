"""Signatures: made and checked by each other, by openssl, and by the `standardwebhooks` package."""

from __future__ import annotations

import base64
import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import standardwebhooks
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given
from hypothesis import strategies as st

from corral.errors import InvalidOption
from corral.tasks.errors import InvalidKey
from corral.tasks.webhooks import Signing, SigningKey, VerifyingKey
from corral.tasks.webhooks.signing import message_id, signed_headers

BODY = '{"id": 1, "name": "Ünï\\n"}'.encode()
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
RSA = SigningKey.generate("rsa")
KEYS = {
    "rsa": RSA,
    "ed25519": SigningKey.generate("ed25519"),
    "whsec": SigningKey.generate(),
    "text": SigningKey("x" * 24),
}


def openssl(*words: str | Path, content: bytes = b"") -> bytes:
    """What openssl prints."""
    return subprocess.run(
        ["openssl", *map(str, words)], input=content, check=True, capture_output=True
    ).stdout


def test_rsa_is_what_openssl_checks(tmp_path: Path) -> None:
    """PKCS #1 v1.5 over SHA-256 of the exact body, in base64."""
    headers = signed_headers(Signing.RSA, [RSA], "m", 1, BODY)
    key, signature = tmp_path / "key.pem", tmp_path / "signature"
    key.write_text(RSA.public.text)
    signature.write_bytes(base64.b64decode(headers["X-Webhook-Signature"]))
    check = ("dgst", "-sha256", "-verify", key, "-signature", signature)
    assert openssl(*check, content=BODY) == b"Verified OK\n"
    with pytest.raises(subprocess.CalledProcessError):
        openssl(*check, content=BODY + b" ")
    assert headers["X-Webhook-Key-Id"] == RSA.id == RSA.public.id


def test_hmac_is_what_openssl_makes() -> None:
    """SHA-256 of the exact body, in hexadecimal, by a text that is the secret itself."""
    headers = signed_headers(Signing.HMAC, [SigningKey("a secret of the partner's own")], "m", 1, BODY)
    made = openssl("dgst", "-sha256", "-hmac", "a secret of the partner's own", content=BODY).split()[-1]
    assert headers == {"X-Webhook-Signature": made.decode()}


def test_standard_webhooks_is_what_their_package_checks() -> None:
    """Its own `verify` takes our headers, with an old and a new secret beside each other."""
    now = int(datetime.now(UTC).timestamp())
    new, old = SigningKey.generate(), SigningKey(SECRET)
    headers = signed_headers(Signing.STANDARD, [new, old], "msg_1", now, BODY)
    for key in (new, old):
        assert standardwebhooks.Webhook(key.text).verify(BODY, headers) == json.loads(BODY)
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        standardwebhooks.Webhook(SigningKey.generate().text).verify(BODY, headers)


def test_standard_webhooks_is_what_their_package_makes() -> None:
    """The same secret, id, time and body give the same signature."""
    at = datetime(2026, 11, 28, tzinfo=UTC)
    theirs = standardwebhooks.Webhook(SECRET).sign("msg_1", at, BODY.decode())
    assert SigningKey(SECRET).standard_signature("msg_1", int(at.timestamp()), BODY) == theirs


def test_openssl_checks_ed25519(tmp_path: Path) -> None:
    """``v1a`` is Ed25519 over id, time and body."""
    key = KEYS["ed25519"]
    version, _, signature = key.standard_signature("msg_1", 7, BODY).partition(",")
    public = VerifyingKey(key.public.text)._key
    assert not isinstance(public, bytes)
    files = {"key": tmp_path / "key", "signature": tmp_path / "signature", "body": tmp_path / "body"}
    pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    files["key"].write_bytes(pem)
    files["signature"].write_bytes(base64.b64decode(signature))
    files["body"].write_bytes(b"msg_1.7." + BODY)
    said = openssl(
        "pkeyutl", "-verify", "-pubin", "-inkey", files["key"], "-rawin", "-in", files["body"],
        "-sigfile", files["signature"],
    )  # fmt: skip
    assert (version, b"Verified Successfully" in said) == ("v1a", True)


@given(st.sampled_from(sorted(KEYS)), st.binary(), st.binary(min_size=1))
def test_only_the_same_body_verifies(kind: str, body: bytes, more: bytes) -> None:
    """What is signed verifies with the public half, and nothing else does."""
    key = KEYS[kind]
    public = VerifyingKey(key.public.text)
    assert public.verifies(key.signature(body), body)
    assert not public.verifies(key.signature(body), body + more)
    assert not public.verifies("", body)
    if kind != "rsa":
        signature = key.standard_signature("m", 1, body)
        assert public.verifies_standard(f"v1,AAAA {signature}", "m", 1, body)
        assert not public.verifies_standard(signature, "m", 2, body)
        assert not public.verifies_standard(signature, "n", 1, body)


@given(st.text(st.characters(codec="utf-8")), st.text(st.characters(codec="utf-8")))
def test_ids_stay_apart(one: str, other: str) -> None:
    """Two jobs never have one message, and every id is a header's value without a dot."""
    assert (message_id(one) == message_id(other)) == (one == other)
    assert message_id(one).isascii()
    assert not set(message_id(one)) & set(". \r\n")


@given(st.text())
def test_no_header_breaks_a_receiver(text: str) -> None:
    """Whatever stands where a signature should is a wrong signature, not an error."""
    for key in KEYS.values():
        assert not key.public.verifies(text, BODY)
        assert not key.public.verifies_standard(text, "m", 1, BODY)


def test_keys_are_published_without_secrets() -> None:
    """A public key is a JWK with the id that deliveries name; a secret is none."""
    assert KEYS["whsec"].public.jwk() is None
    ed25519, found = KEYS["ed25519"].public.jwk(), RSA.public.jwk()
    assert ed25519
    assert found
    assert (ed25519["kty"], ed25519["crv"], ed25519["kid"]) == ("OKP", "Ed25519", KEYS["ed25519"].id)
    n, e = (
        int.from_bytes(base64.urlsafe_b64decode(found[part] + "=" * (-len(found[part]) % 4))) for part in "ne"
    )
    made = rsa.RSAPublicNumbers(e, n).public_key()
    pem = made.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    assert pem.decode() == RSA.public.text


def test_an_id_is_that_of_the_key() -> None:
    """However its text was written down: with other ends of lines, or an empty one at the end."""
    for text in (RSA.public.text.replace("\n", "\r\n"), RSA.public.text + "\n"):
        assert VerifyingKey(text).id == RSA.id
    assert SigningKey.kept(RSA.text).id == RSA.id
    assert len({key.id for key in KEYS.values()}) == len(KEYS)


def test_a_short_public_key_is_refused() -> None:
    """An RSA key of less than 2,048 bits checks nothing."""
    short = rsa.generate_private_key(public_exponent=65537, key_size=1024).public_key()
    pem = short.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    with pytest.raises(InvalidKey, match="2048 bits"):
        VerifyingKey(pem.decode())


def test_keys_are_not_shown() -> None:
    """Neither `repr` nor the error of a bad key tells it."""
    assert KEYS["text"].text not in repr(KEYS["text"])
    with pytest.raises(InvalidKey) as refused:
        SigningKey("hunter2")
    assert "hunter2" not in str(refused.value)


def _pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


@pytest.mark.parametrize(
    "text",
    [
        "whpk_" + "A" * 44,
        "", "short", "whsec_AAAA", "whsec_not base64 at all, but long enough", "whsk_AAAA", "whsk_!", RSA.public.text,
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----", _pem(ec.generate_private_key(ec.SECP256R1())),
        _pem(rsa.generate_private_key(public_exponent=65537, key_size=1024)),
    ],
)  # fmt: skip
def test_bad_keys_are_refused(text: str) -> None:
    """Too short, not base64, another algorithm, a public key, an RSA key that is too small: when it is read."""
    with pytest.raises(InvalidKey):
        SigningKey(text)


@pytest.mark.parametrize(
    ("signing", "key"),
    [
        (Signing.STANDARD, RSA),
        (Signing.HMAC, RSA),
        (Signing.RSA, SigningKey.generate()),
        (Signing.RSA, SigningKey.generate("ed25519")),
    ],
)
def test_a_key_of_another_kind_signs_nothing(signing: Signing, key: SigningKey) -> None:
    """A private key that served as a shared secret could be verified by nobody who has its public half."""
    with pytest.raises(InvalidKey, match=f"this one is {key.kind}"):
        signed_headers(signing, [key], "m", 1, BODY)


def test_without_a_key_nothing_is_signed() -> None:
    """And no delivery goes out."""
    with pytest.raises(InvalidKey):
        signed_headers(Signing.STANDARD, [], "m", 1, BODY)


def test_there_are_three_kinds_of_keys() -> None:
    """Another one is refused, and the error names them."""
    unknown: Any = "hmac"
    with pytest.raises(InvalidOption, match="whsec"):
        SigningKey.generate(unknown)
