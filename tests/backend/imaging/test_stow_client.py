"""What becomes of a request that its server answers, or breaks off, before it has read it."""

import socket
import struct
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress

import aiohttp
import pytest

from backend.imaging import Failure, StowAddress
from backend.imaging.delivery import Answer, Parcel
from backend.imaging.stow_client import send_by_stow

PIECE = b"x" * 256 * 1024
PIECES = 100
RESET = struct.pack("ii", 1, 0)


@contextmanager
def hasty_server(*, instances: int | None, nothing: int) -> Iterator[str]:
    """Serve what reads no more than the head of a request, answers and resets the connection; gives its address.

    Args:
        instances: the status for a request that brings some, None for no answer. nothing: the one for an empty request.
    """
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            with suppress(OSError):  # of a socket that was closed
                while True:
                    connection, _ = listening.accept()
                    head = b""
                    while b"\r\n\r\n" not in head:
                        head += connection.recv(1024)
                    status = nothing if b"Content-Length: 0\r\n" in head else instances
                    if status is not None:
                        answer = f"HTTP/1.1 {status} so\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                        connection.sendall(answer.encode())
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                    connection.close()

        serving = threading.Thread(target=serve)
        serving.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            serving.join()


async def pieces() -> AsyncIterator[bytes]:
    for _ in range(PIECES):
        yield PIECE


async def sent_to(url: str) -> Answer:
    parcel = Parcel("1.2.840.10008.5.1.4.1.1.2", "1.2.3", "1.2.840.10008.1.2.1", PIECES * len(PIECE), pieces)
    async with aiohttp.ClientSession() as http:
        return await send_by_stow(http, StowAddress(url, "Basic d3Jvbmc6d3Jvbmc="), [parcel], 20)


@pytest.mark.parametrize(
    ("status", "failure"),
    [
        (401, Failure.UNAUTHORIZED),
        (403, Failure.UNAUTHORIZED),
        (404, Failure.WRONG_ADDRESS),
        (405, Failure.WRONG_ADDRESS),
        (503, Failure.AWAY),
    ],
)
async def test_a_refusal_is_heard_though_the_connection_is_reset_while_images_are_sent(
    status: int, failure: Failure
) -> None:
    with hasty_server(instances=status, nothing=status) as url:
        for _ in range(5):
            assert (await sent_to(url)).failure is failure


@pytest.mark.parametrize("status", [200, 400, 415, 500])
async def test_a_server_that_breaks_off_and_refuses_nothing_is_away(status: int) -> None:
    with hasty_server(instances=None, nothing=status) as url:
        assert (await sent_to(url)).failure is Failure.AWAY
