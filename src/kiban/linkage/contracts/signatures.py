"""Signatures of contracts, in a file beside each: who answers for it. What is signed is the digest of the file."""

from __future__ import annotations

import re
from pathlib import Path

from kiban import sets
from kiban.linkage.contracts.model import Contract
from kiban.standard import Findings

_LINE = re.compile(r"([0-9a-f]{64}) ([0-9a-f]{128})")


def signature_file(path: Path) -> Path:
    """The file with the signatures of a contract: one line for each, the public key and the signature, in hex."""
    return path.with_name(f"{path.name}.sig")


def sign(contract: Contract, signer: sets.Signer) -> str:
    """The text of the signature file with one signature more; those of this very contract stay.

    Raises:
        Problem: none; a signature of another text of the contract is left out.
    """
    path = contract.path
    kept = dict(_valid(path, contract.digest)) if path else {}
    kept[signer.key] = signer.sign(_signed(contract.digest)).value
    return "".join(f"{key} {value}\n" for key, value in sorted(kept.items()))


def signers(path: Path, digest: str, findings: Findings) -> frozenset[str]:
    """The public keys whose signature over this digest stands beside the file.

    Finds: `contract-signature` where the file has a line that is none, or a signature of another text.
    """
    file = signature_file(path)
    if not file.is_file():
        return frozenset()
    valid = _valid(path, digest)
    for number, line in enumerate(_lines(file), 1):
        if line and not any(line == f"{key} {value}" for key, value in valid):
            findings.fault(
                "contract-signature",
                "the signature is not of the contract as it stands",
                f"{file}:{number}",
                "restore the contract that was signed, or give it a new version and sign that: kiban link contracts sign",
            )
    return frozenset(key for key, _ in valid)


def _valid(path: Path, digest: str) -> list[tuple[str, str]]:
    file = signature_file(path)
    matches = [_LINE.fullmatch(line) for line in (_lines(file) if file.is_file() else ())]
    pairs = [(match[1], match[2]) for match in matches if match]
    return [(key, value) for key, value in pairs if sets.fits(sets.Signature(key, value), _signed(digest))]


def _lines(file: Path) -> list[str]:
    return file.read_text(encoding="ascii", errors="replace").splitlines()


def _signed(digest: str) -> bytes:
    return f"kiban-contract-1 {digest}\n".encode("ascii")
