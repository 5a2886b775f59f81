#!/usr/bin/env python3
"""Verifies an exported passport with none of quality_gov's code.

    passport_verify.py PASSPORT.json KEY

PASSPORT.json is what passport_export() gave: a W3C Verifiable Credential with a proof by
eddsa-jcs-2022 or quality-gov-sm2-jcs-2026, or {"credential", "disclosures"}.  KEY is the issuer's
public key, obtained from the issuer: a multikey (z6Mk...), hexadecimal digits of the raw key, or a
file in PEM.  Needs the standard library and the openssl command (3.0 or later).

Prints one line and ends with 0 where the passport is what the key signed, and with 1 where not.
"""
import base64
import hashlib
import json
import math
import os
import subprocess
import sys
import tempfile

BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
ED25519_INFO = bytes.fromhex("302a300506032b6570032100")
SM2_INFO = bytes.fromhex("3059301306072a8648ce3d020106082a811ccf5501822d034200")


class Refused(Exception):
    """The passport is not what it says."""


def number(value):
    """A number as ECMAScript writes it (RFC 8785, 3.2.2.3)."""
    double = float(value)
    if math.isinf(double) or math.isnan(double) or (isinstance(value, int) and int(double) != value):
        raise Refused("number %s is not an IEEE 754 double" % value)
    if double == 0:
        return "0"
    digits, _, exponent = ("%r" % abs(double)).partition("e")
    whole, _, fraction = digits.partition(".")
    fraction = "" if fraction == "0" else fraction
    point = len(whole) + int(exponent or 0)
    digits = whole + fraction
    stripped = digits.lstrip("0")
    point -= len(digits) - len(stripped)
    digits = stripped.rstrip("0")
    n = len(digits)
    if n <= point <= 21:
        text = digits + "0" * (point - n)
    elif 0 < point <= 21:
        text = digits[:point] + "." + digits[point:]
    elif -6 < point <= 0:
        text = "0." + "0" * -point + digits
    else:
        text = digits[0] + ("." + digits[1:] if n > 1 else "") + "e%+d" % (point - 1)
    return ("-" if double < 0 else "") + text


def jcs(value):
    """Canonical JSON (RFC 8785)."""
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, (int, float)):
        return number(value)
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list):
        return "[" + ",".join(map(jcs, value)) + "]"
    keys = sorted(value, key=lambda key: key.encode("utf-16-be"))
    return "{" + ",".join(jcs(key) + ":" + jcs(value[key]) for key in keys) + "}"


def base58(text):
    """The bytes that multibase z stands for."""
    if not isinstance(text, str) or not text.startswith("z"):
        raise Refused("%r is not multibase in base 58" % (text,))
    n = 0
    for character in text[1:]:
        if character not in BASE58:
            raise Refused("%r is no digit of base 58" % character)
        n = n * 58 + BASE58.index(character)
    zeros = len(text) - 1 - len(text[1:].lstrip("1"))
    return b"\0" * zeros + n.to_bytes((n.bit_length() + 7) // 8, "big")


def public_key(key):
    """A public key as PEM."""
    if os.path.exists(key):
        with open(key, encoding="ascii") as file:
            return file.read()
    raw = base58(key)[2:] if key.startswith("z") else bytes.fromhex(key)
    info = (ED25519_INFO if len(raw) == 32 else SM2_INFO) + raw
    return ("-----BEGIN PUBLIC KEY-----\n%s-----END PUBLIC KEY-----\n"
            % base64.encodebytes(info).decode("ascii"))


def der(signature):
    """r || s as DER."""
    def integer(number_bytes):
        body = number_bytes.lstrip(b"\0") or b"\0"
        body = (b"\0" if body[0] >= 0x80 else b"") + body
        return b"\x02" + bytes([len(body)]) + body
    body = integer(signature[:32]) + integer(signature[32:])
    return b"\x30" + bytes([len(body)]) + body


def openssl_verifies(pem, message, signature, options):
    """Whether openssl finds a signature of the message to be the key's."""
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for name, data in (("key", pem.encode("ascii")), ("message", message), ("signature", signature)):
            paths.append(os.path.join(folder, name))
            with open(paths[-1], "wb") as file:
                file.write(data)
        command = ["openssl", "pkeyutl", "-verify", "-rawin", "-pubin", "-inkey", paths[0],
                   "-in", paths[1], "-sigfile", paths[2]] + options
        return subprocess.run(command, capture_output=True, check=False).returncode == 0


def verify(passport, key):
    """Raises Refused unless the passport is what the key signed; gives its issuer and subject."""
    disclosures = passport.get("disclosures", [])
    document = dict(passport.get("credential", passport))
    proof = document.pop("proof", None)
    if not isinstance(proof, dict) or proof.get("type") != "DataIntegrityProof":
        raise Refused("there is no proof")
    if proof.get("proofPurpose") != "assertionMethod":
        raise Refused("the proof asserts nothing")
    suite = proof.get("cryptosuite")
    if suite == "eddsa-jcs-2022":
        digest, options = "sha256", []
    elif suite == "quality-gov-sm2-jcs-2026":
        digest, options = "sm3", ["-digest", "sm3", "-pkeyopt", "distid:1234567812345678"]
    else:
        raise Refused("cryptosuite %r is not known" % (suite,))
    signature = base58(proof.pop("proofValue", None)) if "proofValue" in proof else b""
    if len(signature) != 64:
        raise Refused("the signature has %d bytes, not 64" % len(signature))
    if "@context" in proof:
        own, theirs = proof["@context"], document.get("@context")
        own_list = own if isinstance(own, list) else [own]
        their_list = theirs if isinstance(theirs, list) else [theirs]
        if their_list[:len(own_list)] != own_list:
            raise Refused("@context of the proof is not that of the document")
        document["@context"] = own

    def hashed(value):
        return hashlib.new(digest, jcs(value).encode("utf-8")).digest()

    message = hashed(proof) + hashed(document)
    if not openssl_verifies(public_key(key), message, der(signature) if digest == "sm3" else signature, options):
        raise Refused("the signature does not fit")
    subject = document.get("credentialSubject", {})
    for item in disclosures:
        hidden = base64.urlsafe_b64encode(hashed([item["salt"], item["field"], item["value"]]))
        if hidden.decode("ascii").rstrip("=") not in subject.get("claimDigests", []):
            raise Refused("claim %r was not signed" % item["field"])
    return document.get("issuer"), subject.get("id")


def main():
    """Judges the passport that the command line names."""
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    try:
        with open(sys.argv[1], encoding="utf-8") as file:
            issuer, subject = verify(json.load(file), sys.argv[2])
    except (Refused, ValueError, KeyError, TypeError, AttributeError) as reason:
        print("refused: %s" % reason)
        sys.exit(1)
    print("verified: %s says so of %s" % (issuer, subject))


if __name__ == "__main__":
    main()
