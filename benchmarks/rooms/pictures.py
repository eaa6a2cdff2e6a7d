"""Pictures and sound encoded beforehand, so that the clients of a measurement cost next to nothing."""

import asyncio
import fractions
import itertools
import time
from functools import cache
from typing import Any

import av
import numpy as np
from aiortc.mediastreams import MediaStreamTrack

WIDTH, HEIGHT, FRAME_RATE, BITRATE = 640, 480, 15, 494_000
_SECONDS = 4
_VIDEO_BASE = fractions.Fraction(1, 90_000)
_AUDIO_BASE = fractions.Fraction(1, 48_000)


@cache
def encoded_video(seconds: int = _SECONDS, whole_each: int = 1) -> list[bytes]:
    """So many ``seconds`` of a moving picture as VP8, with a whole one every ``whole_each`` seconds."""
    context = av.CodecContext.create("libvpx", "w")
    context.width, context.height, context.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    context.bit_rate, context.time_base = BITRATE, fractions.Fraction(1, FRAME_RATE)
    context.options = {"deadline": "realtime", "cpu-used": "8", "g": str(FRAME_RATE * whole_each), "lag-in-frames": "0"}
    noise = np.random.default_rng(1).integers(0, 255, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    packets = []
    for number in range(FRAME_RATE * seconds):
        picture = np.full((HEIGHT, WIDTH, 3), 90, dtype=np.uint8)
        left = (number * 8) % (WIDTH - 120)
        picture[180:300, left : left + 120] = np.roll(noise, 37 * number, axis=0)[180:300, left : left + 120]
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p")
        frame.pts, frame.time_base = number, fractions.Fraction(1, FRAME_RATE)
        packets += [bytes(packet) for packet in context.encode(frame)]
    return packets


@cache
def encoded_audio() -> list[bytes]:
    """A second of a tone as Opus, 20 ms a packet."""
    context = av.CodecContext.create("libopus", "w")
    context.sample_rate, context.layout, context.format = 48_000, "stereo", "s16"
    context.bit_rate, context.time_base = 28_000, _AUDIO_BASE
    tone = (np.sin(np.arange(48_000) * 2 * np.pi * 440 / 48_000) * 8_000).astype(np.int16)
    packets = []
    for number in range(50):
        samples = np.repeat(tone[number * 960 : (number + 1) * 960], 2).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = 48_000, number * 960, _AUDIO_BASE
        packets += [bytes(packet) for packet in context.encode(frame)]
    return packets


class _Encoded(MediaStreamTrack):
    """Plays encoded packets over and over, at their pace."""

    def __init__(self, kind: str, packets: list[bytes], seconds_each: float, base: fractions.Fraction) -> None:
        super().__init__()
        self.kind = kind
        self._packets = itertools.cycle(packets)
        self._each, self._base = seconds_each, base
        self._number = 0
        self._began = 0.0

    async def recv(self) -> "av.Packet[Any]":
        """The next packet when its time has come."""
        if not self._number:
            self._began = time.monotonic()
        due = self._began + self._number * self._each
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        packet = av.Packet(next(self._packets))
        packet.pts, packet.time_base = int(self._number * self._each / self._base), self._base
        self._number += 1
        return packet


def video_track() -> MediaStreamTrack:
    """The moving picture."""
    return _Encoded("video", encoded_video(), 1 / FRAME_RATE, _VIDEO_BASE)


def audio_track() -> MediaStreamTrack:
    """The tone."""
    return _Encoded("audio", encoded_audio(), 0.02, _AUDIO_BASE)
