#!/usr/bin/env python3
"""Checks receipts, checkpoints and tiles of a quality_gov ledger with nothing of quality_gov.
    ledger_verify.py receipt FILE VKEY...             a receipt, as ledger_receipt() gives it
    ledger_verify.py checkpoint FILE VKEY...          the signatures of a checkpoint
    ledger_verify.py grown OLD NEW PROOF              checkpoint NEW, signed or not, continues the log of OLD;
                                                      PROOF has a node a line, in hexadecimal
    ledger_verify.py log FOLDER CHECKPOINT OLD VKEY...  a whole log in FOLDER/tile, as C2SP tlog-tiles lays it
                                                      out, that begins with checkpoint OLD (- for none)

Written from RFC 9162, RFC 8785 and C2SP signed-note, tlog-checkpoint, tlog-cosignature and tlog-tiles.  Needs
Python's standard library and the command openssl.  VKEY is a verifier key, name+hash+base64, from where
the log and its witnesses publish them.  The exit code is 0 where all is well.
"""
import base64
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile

class Fault(Exception):
    """What is wrong with what was given."""

def need(holds, fault):
    if not holds:
        raise Fault(fault)

def sha256(data):
    return hashlib.sha256(data).digest()

def node_hash(left, right):
    return sha256(b"\1" + left + right)

def decode(text):
    data = base64.b64decode(text, validate=True)
    need(base64.b64encode(data).decode() == text, f"not canonical base 64: {text[:40]!r}")
    return data

def root_of(hashes):
    """The root of a tree over leaf hashes (RFC 9162, 2.1.1)."""
    stack = []
    for n, node in enumerate(hashes):
        while n & 1:
            node, n = node_hash(stack.pop(), node), n >> 1
        stack.append(node)
    root = stack.pop() if stack else sha256(b"")
    while stack:
        root = node_hash(stack.pop(), root)
    return root

def climb(fn, sn, left, right, proof):
    """The two roots that a proof leads to (RFC 9162, 2.1.3.2 and 2.1.4.2); left of what lies before the node."""
    for p in proof:
        need(sn > 0, "the proof has superfluous nodes")
        if fn & 1 or fn == sn:
            left, right = node_hash(p, left), node_hash(p, right)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            right = node_hash(right, p)
        fn, sn = fn >> 1, sn >> 1
    need(sn == 0, "the proof lacks nodes")
    return left, right

def check_consistency(old, new, proof):
    """That the log of (size, root) continues that of another (RFC 9162, 2.1.4.2)."""
    (m, old_root), (n, new_root) = old, new
    need(0 < m <= n, f"a log of {n} leaves does not begin with {m}")
    proof = ([old_root] if m & (m - 1) == 0 else []) + proof if m < n else [old_root] + proof
    need(proof, "the proof is empty")
    fn, sn = m - 1, n - 1
    while fn & 1 or fn == sn > 0 and m == n:
        fn, sn = fn >> 1, sn >> 1
    need(climb(fn, sn, proof[0], proof[0], proof[1:]) == (old_root, new_root), "the new log does not begin with the old one")

def verified(key, message, signature):
    """Whether openssl takes an Ed25519 signature."""
    with tempfile.TemporaryDirectory() as folder:
        names = [os.path.join(folder, n) for n in ("key", "message", "signature")]
        for name, data in zip(names, (bytes.fromhex("302a300506032b6570032100") + key, message, signature)):
            with open(name, "wb") as out:
                out.write(data)
        return subprocess.run(["openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", names[0], "-rawin",
                               "-in", names[1], "-sigfile", names[2]], capture_output=True, check=False).returncode == 0

def read_vkey(vkey):
    found = re.fullmatch(r"([^+\s]+)\+([0-9a-fA-F]{8})\+(\S+)", vkey)
    need(found, f"not a verifier key: {vkey!r}")
    name, key = found[1], decode(found[3])
    need(len(key) == 33 and key[0] in (1, 4), f"verifier key of {name} is not Ed25519")
    need(sha256(name.encode() + b"\n" + key)[:4] == bytes.fromhex(found[2]), f"hash of {name} is not its key's")
    return (name, bytes.fromhex(found[2])), key

def read_note(text):
    found = re.fullmatch(r"(([^\n]+)\n(0|[1-9][0-9]{0,18})\n([^\n]+)\n(?:[^\n]+\n)*)(?:\n((?:\u2014 \S+ \S+\n)+))?", text)
    need(found and len(decode(found[4])) == 32, "not a checkpoint of a log")
    return found[1], found[2], int(found[3]), decode(found[4]), found[5] or ""

def check_note(text, vkeys):
    """Gives origin, size and root of a checkpoint that the log's key has signed, and who else has."""
    body, origin, size, root, lines = read_note(text)
    keys = dict(read_vkey(vkey) for vkey in vkeys)
    signers = set()
    for line in lines.splitlines():
        _, name, data = line.split(" ")
        data = decode(data)
        key = keys.get((name, data[:4]))
        if key is None:
            continue
        message, signature = body.encode(), data[4:]
        if key[0] == 4:
            need(len(signature) == 72, f"the signature of {name} is no cosignature")
            message = f"cosignature/v1\ntime {int.from_bytes(signature[:8], 'big')}\n".encode() + message
            signature = signature[8:]
        need(verified(key[1:], message, signature), f"the signature of {name} does not fit")
        signers.add((name, key[0]))
    need((origin, 1) in signers, f"no key given of log {origin} has signed")
    witnesses = sorted(name for name, kind in signers if kind == 4)
    return origin, size, root, "signed by the log" + "".join(f", witnessed by {w}" for w in witnesses)

def check_receipt(receipt, vkeys):
    need(receipt.get("format") == "quality_gov-ledger-receipt" and receipt.get("version") == 1, "not a receipt of version 1")
    origin, size, root, signers = check_note(receipt["checkpoint"], vkeys)
    need(receipt["origin"] == origin, "origin is not the checkpoint's")
    leaf = decode(receipt["leaf"])
    entry = json.loads(leaf)
    need(entry == receipt["entry"], "entry is not what the leaf holds")
    need(isinstance(receipt["index"], int), "index is no number")
    need(0 <= receipt["index"] < size, "index is not below size")
    proof = [decode(node) for node in receipt["proof"]]
    need(climb(receipt["index"], size - 1, b"", sha256(b"\0" + leaf), proof)[1] == root, "the proof leads to another root")
    for part in ("body", "subject"):
        if f"{part}_sha256" in entry or part in receipt:
            need(sha256(receipt[part].encode()).hex() == entry.get(f"{part}_sha256"), f"{part} is not what the leaf commits to")
    for field, shown in receipt.get("disclosed", {}).items():
        digest = sha256(decode(shown["salt"]) + shown["value"].encode()).hex()
        need(digest == entry["body"]["row"][field]["commitment"], f"{field} is not what the leaf commits to")
    return f"entry {entry['entry']} is leaf {receipt['index']} of the {size} of {origin}, {signers}"

def tile_bytes(folder, kind, index, width):
    """A tile or an entry bundle by its C2SP path; a full one holds what a partial one held."""
    path = "/".join([f"x{index // 1000 ** n % 1000:03}" for n in range((len(str(index)) - 1) // 3, 0, -1)] + [f"{index % 1000:03}"])
    for name in ([f"{path}.p/{width}"] if width < 256 else []) + [path]:
        if os.path.exists(os.path.join(folder, "tile", kind, name)):
            with open(os.path.join(folder, "tile", kind, name), "rb") as tile:
                return tile.read()
    raise Fault(f"tile/{kind}/{path} of width {width} is missing")

def check_log(folder, size, root, old):
    """Every entry against its hash, every tile against the ones below, the whole against the root."""
    hashes = []
    for index in range((size + 255) // 256):
        data = tile_bytes(folder, "entries", index, min(256, size - 256 * index))
        for _ in range(min(256, size - 256 * index)):
            end = 2 + int.from_bytes(data[:2], "big")
            need(2 <= end <= len(data), f"entry bundle {index} is too short")
            hashes.append(sha256(b"\0" + data[2:end]))
            data = data[end:]
    if old is not None:
        need(old[0] <= size and root_of(hashes[:old[0]]) == old[1], "the log does not begin with the old checkpoint's")
    need(root_of(hashes) == root, "the root of the entries is not the checkpoint's")
    for level in range(8):
        for index in range((len(hashes) + 255) // 256):
            want = hashes[256 * index:256 * index + 256]
            need(tile_bytes(folder, str(level), index, len(want))[:32 * len(want)] == b"".join(want), f"tile {level}/{index} is wrong")
        hashes = [root_of(hashes[n:n + 256]) for n in range(0, len(hashes) // 256 * 256, 256)]

def read(path):
    with open(path, encoding="utf-8", newline="") as text:
        return text.read()

def main(command, *args):
    if command == "receipt":
        return check_receipt(json.loads(read(args[0])), args[1:])
    if command == "checkpoint":
        origin, size, _, signers = check_note(read(args[0]), args[1:])
        return f"{origin} has {size} leaves, {signers}"
    if command == "grown":
        old, new = read_note(read(args[0])), read_note(read(args[1]))
        need(old[1] == new[1], f"logs {old[1]} and {new[1]}")
        check_consistency(old[2:4], new[2:4], [bytes.fromhex(line) for line in read(args[2]).split()])
        return f"{new[1]} grew from {old[2]} leaves to {new[2]}"
    need(command == "log", f"unknown command {command}")
    origin, size, root, signers = check_note(read(args[1]), args[3:])
    old = None if args[2] == "-" else read_note(read(args[2]))
    need(old is None or old[1] == origin, "the old checkpoint is of another log")
    check_log(args[0], size, root, old and old[2:4])
    return f"all {size} leaves of {origin} are as the checkpoint has them, {signers}"

if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    try:
        print(main(*sys.argv[1:]))
    except (Fault, LookupError, TypeError, ValueError, AttributeError, OSError) as fault:
        sys.exit(f"not verified: {fault}")
