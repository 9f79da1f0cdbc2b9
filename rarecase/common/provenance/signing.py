"""A signature over the manifest: an in-toto Statement v1 in a DSSE envelope, Ed25519.

The statement names the manifest by its SHA-256, and the manifest names every file; so one signature covers
the set. It is made when the variable ``RARECASE_SIGNING_KEY`` names a private key in PEM.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rarecase.common.atomic import write_atomically
from rarecase.common.errors import Finding, InputError
from rarecase.common.manifest import NAME, canonical

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

VARIABLE = "RARECASE_SIGNING_KEY"
ENVELOPE = "manifest.dsse.json"
PAYLOAD_TYPE = "application/vnd.in-toto+json"
_STATEMENT = "https://in-toto.io/Statement/v1"
_PREDICATE = "https://slsa.dev/provenance/v1"


def check_key() -> None:
    """Refuse a signing key that cannot be used, before any work is done (InputError)."""
    if os.environ.get(VARIABLE):
        _private_key(Path(os.environ[VARIABLE]))


def sign_if_asked(directory: Path) -> bool:
    """Sign the manifest in a directory if a key is given and no signature stands there yet."""
    path = os.environ.get(VARIABLE)
    if not path or (directory / ENVELOPE).exists():
        return False
    envelope = sign((directory / NAME).read_bytes(), _private_key(Path(path)))
    write_atomically(directory / ENVELOPE, canonical(envelope), durable=True)
    return True


def pae(payload: bytes) -> bytes:
    """DSSE's pre-authentication encoding, version 1: what is signed."""
    head = f"DSSEv1 {len(PAYLOAD_TYPE)} {PAYLOAD_TYPE} {len(payload)} ".encode()
    return head + payload


def statement(manifest: bytes) -> dict[str, Any]:
    """The in-toto statement about a manifest: what it is, and how to make its data again."""
    facts = json.loads(manifest)
    dependencies = [
        {"uri": f"pkg:pypi/{name}@{version}"} for name, version in facts["lock"].items() if name != "python"
    ]
    return {
        "_type": _STATEMENT,
        "subject": [{"name": NAME, "digest": {"sha256": hashlib.sha256(manifest).hexdigest()}}],
        "predicateType": _PREDICATE,
        "predicate": {
            "buildDefinition": {
                "buildType": "urn:rarecase:generate:1",
                "externalParameters": {"spec": facts["spec"]},
                "internalParameters": {"storage": facts["storage"], "world": facts["world"]},
                "resolvedDependencies": dependencies,
            },
            "runDetails": {"builder": {"id": "urn:rarecase", "version": {"rarecase": facts["rarecase"]}}},
        },
    }


def sign(manifest: bytes, key: Ed25519PrivateKey) -> dict[str, Any]:
    """The envelope over the statement about a manifest."""
    payload = canonical(statement(manifest))
    signature = key.sign(pae(payload))
    return {
        "payloadType": PAYLOAD_TYPE,
        "payload": base64.standard_b64encode(payload).decode(),
        "signatures": [
            {"keyid": key_id(key.public_key()), "sig": base64.standard_b64encode(signature).decode()}
        ],
    }


def key_id(key: Ed25519PublicKey) -> str:
    """SHA-256 (hex) of the public key's 32 bytes."""
    return hashlib.sha256(key.public_bytes_raw()).hexdigest()


def signature_findings(directory: Path, public_key: Path | None) -> list[Finding]:
    """What the signature of a directory says; a note where there is none or no key to check it with."""
    if not (directory / ENVELOPE).exists():
        if public_key is None:
            return []
        return [_finding("error", "signature.absent", "a public key is given but the set is not signed")]
    try:
        envelope = json.loads((directory / ENVELOPE).read_bytes())
        payload = base64.standard_b64decode(envelope["payload"])
        said = json.loads(payload)["subject"][0]["digest"]["sha256"]
        signatures = [base64.standard_b64decode(one["sig"]) for one in envelope["signatures"]]
        typed = envelope["payloadType"] == PAYLOAD_TYPE
    except (OSError, ValueError, KeyError, IndexError, TypeError):
        return [_finding("error", "signature.damaged", f"{ENVELOPE} is not a whole envelope")]
    found = []
    if not typed or said != hashlib.sha256((directory / NAME).read_bytes()).hexdigest():
        found.append(_finding("error", "signature.subject", "the signature is about another manifest"))
    if public_key is None:
        found.append(_finding("note", "signature.unchecked", "signed; give the public key to check by whom"))
    elif not any(_holds(_public_key(public_key), signature, pae(payload)) for signature in signatures):
        found.append(_finding("error", "signature.invalid", "no signature is by the given public key"))
    return found


def _finding(level: Any, rule: str, message: str) -> Finding:
    return Finding(level, rule, None, None, 1, message, (ENVELOPE,))


def _holds(key: Ed25519PublicKey, signature: bytes, message: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature

    try:
        key.verify(signature, message)
    except InvalidSignature:
        return False
    return True


def _private_key(path: Path) -> Ed25519PrivateKey:
    primitives = _primitives(VARIABLE)
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    key = _load(path, VARIABLE, lambda data: primitives.load_pem_private_key(data, password=None))
    if not isinstance(key, Ed25519PrivateKey):
        raise InputError(VARIABLE, str(path), "an Ed25519 private key in PEM, without a password")
    return key


def _public_key(path: Path) -> Ed25519PublicKey:
    primitives = _primitives("public_key")
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    key = _load(path, "public_key", primitives.load_pem_public_key)
    if not isinstance(key, Ed25519PublicKey):
        raise InputError("public_key", str(path), "an Ed25519 public key in PEM")
    return key


def _load(path: Path, where: str, load: Callable[[bytes], Any]) -> Any:
    try:
        return load(path.read_bytes())
    except (OSError, ValueError, TypeError) as error:
        # Never the text of the error of a parser: it may quote the key.
        said = error.strerror if isinstance(error, OSError) else "not such a key"
        expected = f"an Ed25519 key in PEM, without a password ({said})"
        raise InputError(where, str(path), expected) from None


def _primitives(where: str) -> Any:
    try:
        from cryptography.hazmat.primitives import serialization
    except ImportError:
        raise InputError(
            where, "set", "the optional extra sign", hint="`pip install 'rarecase[sign]'`."
        ) from None
    return serialization
