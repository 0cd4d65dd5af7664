"""What seals the trail lies in the home, apart from the database: the key, and which block was the last."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kiban import sets, store
from kiban.access.audit.root_files import read_root, root_bytes
from kiban.access.audit.seals import NO_BLOCK, Block
from kiban.kernel import Problem
from kiban.sets import Root, Signer


@dataclass(frozen=True)
class Keeper:
    """Who seals, and what he remembers.

    Attributes:
        signer: signs blocks and roots.
        trusted: public keys whose signatures count: his own, and those he had before.
        folder: in it `head.json` says which block was the last, and `roots` holds the roots of all days: who cuts something
            off in the database cannot mend them.
    """

    signer: Signer
    trusted: Collection[str]
    folder: Path = field(repr=False)

    @property
    def head(self) -> Path:
        """The file that says which block was the last."""
        return self.folder / "head.json"

    def remember(self, block: Block) -> None:
        """Note the last block."""
        store.write_private(self.head, json.dumps({"block": block.block, "digest": block.digest}))

    def remembered(self) -> tuple[int, str]:
        """Number and digest of the last block noted; 0 and that of no block where none was.

        Raises:
            Problem: `audit-head` where the file cannot be read.
        """
        if not self.head.exists():
            return 0, NO_BLOCK.digest
        try:
            noted = json.loads(self.head.read_text(encoding="utf-8"))
            return int(noted["block"]), str(noted["digest"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            what = "the file that says which block was the last cannot be read"
            raise Problem(
                "audit-head", what, str(self.head), "bring it back from the backup of the home"
            ) from error

    def keep(self, root: Root) -> Path:
        """Keep the root of a day as a file; a copy of it is what is given to somebody else."""
        file = self.folder / "roots" / f"{root.day}.json"
        file.parent.mkdir(mode=0o700, exist_ok=True)
        store.write_private(file, root_bytes(root).decode())
        return file

    def kept(self) -> list[Root]:
        """The roots of all days, from their files.

        Raises:
            Problem: `audit-root-file` for a file that holds none.
        """
        return [read_root(file) for file in sorted((self.folder / "roots").glob("*.json"))]


def keeper(folder: Path) -> Keeper:
    """The keeper of a home, from its folder; his key is made at the first call, readable by its owner only.

    Public keys of before lie beside it as `*.pub.pem`. Keep a copy of the folder where the database has no hand.

    Raises:
        Problem: `audit-key-open` where others may read the key, `signing-key` where the file holds none.
    """
    file = folder / "key.pem"
    if not file.exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _make(file)
    if file.stat().st_mode & 0o077:
        raise Problem(
            "audit-key-open", "others may read the key of the audit trail", str(file), "chmod 600 it"
        )
    signer = sets.read_signer(file)
    return Keeper(signer, sets.read_keys([file, *sorted(folder.glob("*.pub.pem"))]), folder)


def _make(file: Path) -> None:
    key = Ed25519PrivateKey.generate()
    encoding, raw = serialization.Encoding.PEM, serialization.NoEncryption()
    private = key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, raw)
    public = key.public_key().public_bytes(encoding, serialization.PublicFormat.SubjectPublicKeyInfo)
    store.write_private(file, private.decode())
    store.write_private(file.with_name("key.pub.pem"), public.decode())
