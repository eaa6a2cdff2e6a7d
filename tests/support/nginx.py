"""An nginx of the tests' own: the configuration that we ship, filled in as its comment tells, on ports of loopback."""

import datetime
import re
import ssl
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.e2e.product import free_port, listens
from tests.support.requirements import require_program
from tests.support.waiting import eventually

_SHIPPED = Path(__file__).parents[2] / "deploy" / "nginx.conf"
_STOP_SECONDS = 10.0
HOST = "qiaoyi.test"
# As Debian's own file has them: an access log that the shipped part has to switch off.
_AROUND = """
daemon off;
pid {folder}/pid;
worker_processes 1;
error_log {folder}/main-error.log;
events {{ worker_connections 1024; }}
http {{
    access_log {folder}/access.log;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/qiaoyi.conf;
}}
"""


@dataclass(frozen=True)
class Nginx:
    """A running one."""

    folder: Path
    port: int
    plain_port: int

    @property
    def url(self) -> str:
        """How browsers reach the product through it."""
        return f"https://{HOST}:{self.port}"

    def trusting(self) -> ssl.SSLContext:
        """What a browser knows that trusts its certificate."""
        return ssl.create_default_context(cafile=str(self.folder / "chain.pem"))

    def written(self) -> str:
        """All that it wrote down."""
        return "".join(path.read_text("utf-8", "replace") for path in self.folder.glob("*.log"))

    def put_down(self) -> list[Path]:
        """Bodies and answers that it keeps in files."""
        return [one for place in ("body", "proxy") for one in (self.folder / place).rglob("*") if one.is_file()]


@asynccontextmanager
async def running_nginx(product_port: int) -> AsyncIterator[Nginx]:
    """Run one while inside before a product on `product_port` of loopback."""
    with tempfile.TemporaryDirectory(prefix="nginx-") as folder, _process(Path(folder), product_port) as running:
        await eventually(lambda: listens(running.port))
        yield running


@contextmanager
def _process(folder: Path, product_port: int) -> Iterator[Nginx]:
    program = require_program("nginx")
    running = Nginx(folder, free_port(), free_port())
    _make_certificate(folder)
    (folder / "qiaoyi.conf").write_text(_filled_in(running, product_port))
    (folder / "nginx.conf").write_text(_AROUND.format(folder=folder))
    command = [str(program), "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", str(folder / "start.log")]
    checked = subprocess.run([*command, "-t"], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr
    assert "[warn]" not in checked.stderr, checked.stderr
    with (folder / "output.log").open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, cwd=folder)
    try:
        yield running
    finally:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _filled_in(running: Nginx, product_port: int) -> str:
    """The shipped text with its gaps filled, other ports, and the product where it is."""
    text = _SHIPPED.read_text("utf-8")
    values = {
        "host": HOST,
        "path of the chain": running.folder / "chain.pem",
        "path of the key": running.folder / "key.pem",
        "path of the error log": running.folder / "error.log",
    }
    for name, value in values.items():
        text = text.replace(f"<{name}>", str(value))
    assert not re.search(r"^[^#]*<", text, re.M), "something is left to fill in"
    text = text.replace("listen 80;", f"listen 127.0.0.1:{running.plain_port};")
    text = text.replace("listen 443 ssl", f"listen 127.0.0.1:{running.port} ssl")
    return text.replace("http://127.0.0.1:8080", f"http://127.0.0.1:{product_port}")


def _make_certificate(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    now = datetime.datetime.now(datetime.UTC)
    names = x509.SubjectAlternativeName([x509.DNSName(HOST), x509.IPAddress(ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(names, critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "chain.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
