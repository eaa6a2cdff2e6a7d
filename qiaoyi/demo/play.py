"""Plays the story of the demonstration and keeps its transcript."""

import sys

import aiohttp

from qiaoyi.demo.story import Story
from qiaoyi.demo.transcript import Transcript
from sandbox.client import NoSuchMessageError, SandboxClient, SandboxError


async def play(sandbox_url: str, patience: float, quiet: bool = False) -> Transcript:
    """Play the story on the phones of the sandbox at `sandbox_url` and give what happened.

    A step that fails ends the story: what follows would only fail with it. Its reason goes to standard error. A message
    that does not come within `patience` seconds is such a failure.
    """
    transcript = Transcript(quiet)
    try:
        async with SandboxClient(sandbox_url) as sandbox:
            await Story(sandbox, transcript, patience).play()
    except (NoSuchMessageError, SandboxError) as error:
        print(f"\nthe story broke off: {error}", file=sys.stderr)
    except aiohttp.ClientError as error:
        transcript.fail("connect", f"{sandbox_url} does not answer ({type(error).__name__}): is `make run` running?")
        print(f"\n{transcript.steps[-1].title}", file=sys.stderr)
    return transcript
