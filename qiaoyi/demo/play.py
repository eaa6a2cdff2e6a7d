"""The story of the demonstration."""

from qiaoyi.demo.transcript import Transcript


async def play(sandbox_url: str, quiet: bool = False) -> Transcript:
    """Play the story on the phones of the sandbox at `sandbox_url` and give what happened."""
    return Transcript(quiet)
