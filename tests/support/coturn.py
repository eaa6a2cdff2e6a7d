"""A TURN server of the tests' own: coturn with the configuration that we ship, on this machine's own address."""

import datetime
import socket
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from aioice.ice import get_host_addresses
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.support.processes import free_port
from tests.support.requirements import require_program
from tests.support.waiting import eventually

_TEMPLATE = Path(__file__).parents[2] / "deploy" / "coturn.conf"
_STOP_SECONDS = 10.0
SECRET = "the secret that media processes and the TURN server share"


def own_address() -> str:
    """An IPv4 address of this machine that is not loopback: pages and media processes connect to no other."""
    return str(get_host_addresses(use_ipv4=True, use_ipv6=False)[0])


@dataclass(frozen=True)
class Coturn:
    """A running one."""

    address: str
    port: int
    tls_port: int
    log_file: Path

    def url(self, transport: str) -> str:
        """How a page reaches it over ``udp`` or ``tcp``."""
        return f"turn:{self.address}:{self.port}?transport={transport}"

    def listens(self) -> bool:
        """Whether it takes connections."""
        with socket.socket() as probe:
            return probe.connect_ex((self.address, self.port)) == 0

    @property
    def log(self) -> str:
        """What it has said."""
        return self.log_file.read_text(errors="replace")


@asynccontextmanager
async def running_coturn(media_address: str = "") -> AsyncIterator[Coturn]:
    """Run one while inside whose relays lead to ``media_address`` alone (this machine's, where none is said)."""
    with tempfile.TemporaryDirectory(prefix="coturn-") as folder, _process(Path(folder), media_address) as running:
        await eventually(running.listens)
        yield running


@contextmanager
def _process(folder: Path, peer: str) -> Iterator[Coturn]:
    program = require_program("turnserver")
    address = own_address()
    running = Coturn(address, free_port(), free_port(), folder / "coturn.log")
    _make_certificate(folder)
    values = {
        "address": address,
        "port": running.port,
        "tls port": running.tls_port,
        "secret": SECRET,
        "realm": "rooms.test",
        "media address": peer or address,
        "certificate": folder / "certificate.pem",
        "private key": folder / "key.pem",
    }
    text = _TEMPLATE.read_text()
    for name, value in values.items():
        text = text.replace(f"=<{name}>", f"={value}")
    configuration = folder / "turnserver.conf"
    configuration.write_text(text)
    arguments = ["--verbose", "-c", configuration, "--pidfile", folder / "pid", "--userdb", folder / "turndb"]
    with running.log_file.open("wb") as log:
        process = subprocess.Popen([program, *map(str, arguments)], stdout=log, stderr=log, cwd=folder)
    try:
        yield running
    finally:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _make_certificate(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "turn.test")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    (folder / "certificate.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
