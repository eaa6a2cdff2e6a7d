"""Signed tree heads, and the folder outside the database where they are kept."""

import base64
import json
import os
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from backend.security.audit_leaves import stamp
from backend.security.keyring import KeyRing

_LATEST = "latest.json"


class HeadDamaged(Exception):
    """A file that holds no signed tree head."""


@dataclass(frozen=True)
class TreeHead:
    """How large the log was at a moment, and the root over all of it.

    Args:
        root: 64 hexadecimal digits. at: UTC, as `audit_leaves.stamp` writes it. signature: Ed25519 (RFC 8032), base64.
    """

    size: int
    root: str
    at: str
    signature: str

    @property
    def signed(self) -> bytes:
        """The bytes that the signature is over: four lines that can be typed by hand."""
        return signed_bytes(self.size, self.root, self.at)

    def is_signed_by(self, public_key: str) -> bool:
        """Tell whether the signature is that of `public_key` (64 hexadecimal digits)."""
        try:
            key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key))
            key.verify(base64.b64decode(self.signature, validate=True), self.signed)
        except (InvalidSignature, ValueError):
            return False
        return True

    @classmethod
    def read(cls, text: str) -> "TreeHead":
        """Read what `written` gave. Raises HeadDamaged."""
        try:
            return cls.of(json.loads(text))
        except ValueError as error:
            raise HeadDamaged(str(error)) from None

    @classmethod
    def of(cls, held: object) -> "TreeHead":
        """Take the head from a JSON object. Raises HeadDamaged."""
        try:
            head = cls(**held)  # type: ignore[arg-type]  # what it is not raises
            bytes.fromhex(head.root)
        except (TypeError, ValueError) as error:
            raise HeadDamaged(str(error)) from None
        if not isinstance(head.size, int) or not isinstance(head.at, str) or not isinstance(head.signature, str):
            raise HeadDamaged("a field is of another type")
        return head

    def written(self) -> str:
        """Give the head as the text of a file."""
        return json.dumps(asdict(self), indent=2) + "\n"


def signed_bytes(size: int, root: str, at: str) -> bytes:
    """Give what is signed of a head."""
    return f"qiaoyi audit head 1\n{size}\n{root}\n{at}\n".encode()


class HeadFolder:
    """Signs heads and keeps them: the latest, and the first of each hour for good.

    Args:
        folder: outside the database; better still a mount where this machine may create and not change.
    """

    def __init__(self, folder: Path, ring: KeyRing) -> None:
        self._folder = folder
        self._key = Ed25519PrivateKey.from_private_bytes(ring.derive("audit-head"))
        self._latest: TreeHead | None = None

    @property
    def public_key(self) -> str:
        """The key that heads are verified with, in 64 hexadecimal digits."""
        return self._key.public_key().public_bytes_raw().hex()

    def sign(self, size: int, root: bytes, at: datetime) -> TreeHead:
        """Sign a head; nothing is kept of it."""
        moment = stamp(at)
        signature = base64.b64encode(self._key.sign(signed_bytes(size, root.hex(), moment))).decode()
        return TreeHead(size, root.hex(), moment, signature)

    def keep(self, size: int, root: bytes, at: datetime) -> None:
        """Sign and keep a head: as the latest where the log has grown, and as this hour's where it has none.

        Raises:
            OSError: the folder cannot be written.
        """
        hourly = self._folder / f"{stamp(at)[:13]}.json"
        has_grown = self._latest is None or self._latest.size != size
        if not has_grown and hourly.exists():
            return
        head = self.sign(size, root, at)
        self._folder.mkdir(parents=True, exist_ok=True)
        if has_grown:
            self._write(self._folder / _LATEST, head)
            self._latest = head
        if not hourly.exists():
            self._write(hourly, head)

    def kept(self) -> list[tuple[str, TreeHead | None]]:
        """Give the names of the files with their heads, smallest first; None for one that holds none."""
        found: list[tuple[str, TreeHead | None]] = []
        for path in sorted(self._folder.glob("*.json")):
            try:
                head: TreeHead | None = TreeHead.read(path.read_text("utf-8"))
            except (HeadDamaged, UnicodeDecodeError):
                head = None
            found.append((path.name, head if head is not None and head.is_signed_by(self.public_key) else None))
        return sorted(found, key=lambda one: one[1].size if one[1] else -1)

    def _write(self, path: Path, head: TreeHead) -> None:
        fresh = path.with_name(f".{path.name}.{os.getpid()}")
        fresh.write_text(head.written(), "utf-8")
        fresh.replace(path)
