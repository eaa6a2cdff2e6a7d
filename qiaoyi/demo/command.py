"""`qiaoyi demo`: needs a running product, and nothing of it in this process."""

import argparse
import json

from qiaoyi.demo.play import play


async def demo(options: argparse.Namespace) -> int:
    """Play the story; 1 where a step of it is missing."""
    transcript = await play(options.sandbox, options.patience, quiet=options.json)
    if options.json:
        print(json.dumps(transcript.as_json(), ensure_ascii=False, indent=2))
    return 0 if transcript.as_json()["ok"] else 1
