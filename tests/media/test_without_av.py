"""The rooms run where PyAV is not installed, and load nothing of it."""

import subprocess
import sys

_HIDE_AV = """
from importlib.machinery import PathFinder

find = PathFinder.find_spec
PathFinder.find_spec = classmethod(
    lambda _, name, *rest: None if name.partition(".")[0] == "av" else find(name, *rest)
)
"""

_OFFER = """
import asyncio
from media.signalling import Rooms
from media.tokens import TokenMint

async def offer():
    forwarding = Rooms(TokenMint(bytes(32), lambda: 0.0)).forwarding
    made = [await forwarding.publish("room", "doctor"), await forwarding.subscribe("room", "patient")]
    await forwarding.close()
    return made

for made in asyncio.run(offer()):
    assert "VP8/90000" in made.sdp and "opus/48000" in made.sdp
import av
try:
    av.CodecContext()
except RuntimeError as error:
    print(error)
with open("/proc/self/maps") as loaded:
    print([line.split("/")[-1].strip() for line in loaded if "x264" in line or "x265" in line or "libav" in line])
"""


def test_rooms_make_offers_without_pyav_and_say_so_where_somebody_wants_to_decode() -> None:
    command = [sys.executable, "-c", _HIDE_AV + _OFFER]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    needs, loaded = run.stdout.splitlines()
    assert needs == "av.CodecContext needs PyAV, which is not installed"
    assert loaded == "[]"
