"""The interview at work on real consultations, on the phones page.

``python -m benchmarks.nlu.dialogues --data DIR [--seed N] [--page]``

Starts the product with a local WeChat in a temporary folder, as ``qiaoyi run`` does, and lets ten patients of the
public development sets talk with it: each says what the patient of the dialogue said first, answers the questions of
the pre-consultation with the patient's own words where they fit, else from what the dialogue tells, else with 不清楚.
Prints the conversations and the records that come of them; with ``--page`` the phones stay on the page until Ctrl-C.
No sentence of the sets is kept: the folder goes with the program.
"""

import argparse
import asyncio
import contextlib
import signal
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from benchmarks.nlu.replay import Caller, read_dialogues
from benchmarks.product import free_port
from sandbox.client import Message, NoSuchMessageError, Phone, SandboxClient

DIALOGUES = 10
_PATIENCE_SECONDS = 30.0
_START_SECONDS = 60.0
_MOST_TURNS = 20
_END = "我记得对不对"


async def replay(phone: Phone, caller: Caller) -> str:
    """Play one dialogue to the record; the record's message."""
    await phone.follow()
    greeting = await _hears(phone, 0, "您同意吗")
    await phone.tap("同意")
    heard = await _hears(phone, greeting.seq, "哪里不舒服")
    for _ in range(_MOST_TURNS):
        if _END in heard.text:
            return heard.text
        await phone.say(caller.answer(heard))
        heard = await _hears(phone, heard.seq, "？", _END)
    raise NoSuchMessageError(f"no record after {_MOST_TURNS} answers")


async def _hears(phone: Phone, after: int, *wanted: str) -> Message:
    def fits(message: Message) -> bool:
        return message.sender == "account" and any(part in message.text for part in wanted)

    return await phone.wait_for(fits, timeout=_PATIENCE_SECONDS, after=after)


def show(messages: list[Message]) -> None:
    """Print a conversation as it stands on the phone."""
    for message in messages:
        mark = "▸" if message.sender == "user" else "◂"
        lines = message.text.splitlines() or [f"[{message.kind}]"]
        print(f"   {mark} {lines[0]}")
        for line in lines[1:]:
            print(f"     {line}")
        if message.items:
            print(f"     〔{'〕〔'.join(item['text'] for item in message.items)}〕")


@asynccontextmanager
async def running_product() -> AsyncIterator[str]:
    """Run ``qiaoyi run`` on free ports and a folder that goes with it; the address of the phones page."""
    port, sandbox_port = free_port(), free_port()
    with tempfile.TemporaryDirectory(prefix="qiaoyi-dialogues-") as folder:
        command = [sys.executable, "-m", "qiaoyi", "run", "--port", str(port), "--sandbox-port", str(sandbox_port)]
        process = await asyncio.create_subprocess_exec(
            *command, "--data", folder, stdout=asyncio.subprocess.PIPE, start_new_session=True
        )
        try:
            assert process.stdout is not None  # noqa: S101  # it was started with a pipe
            async with asyncio.timeout(_START_SECONDS):
                async for line in process.stdout:
                    if line.startswith(b"ready"):
                        break
                else:
                    raise RuntimeError("the product did not start")
            yield f"http://127.0.0.1:{sandbox_port}"
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGTERM)
            await process.wait()


async def run(data: Path, seed: int, page: bool) -> None:
    """Replay the dialogues of this seed one after the other; wait on the page where it is wanted."""
    callers = read_dialogues(data, DIALOGUES, seed)
    task = asyncio.current_task()
    assert task is not None  # noqa: S101  # a coroutine runs in one
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    async with running_product() as url, SandboxClient(url) as sandbox:
        for number, caller in enumerate(callers, 1):
            phone = await sandbox.phone(f"患者{number:02}", f"dialogue-{number:02}")
            await replay(phone, caller)
            print(f"\n── {number}. {caller.name}: {caller.questions} questions")
            show(await phone.messages())
            sys.stdout.flush()
        if page:
            print(f"\nphones   {url}/   (lay 患者01 to 患者10 on the desk with 手机; Ctrl-C ends)", flush=True)
            await asyncio.Event().wait()


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.nlu.dialogues", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with the development sets")
    parser.add_argument("--seed", type=int, default=1, help="which ten dialogues")
    parser.add_argument("--page", action="store_true", help="keep the phones page open")
    options = parser.parse_args()
    with contextlib.suppress(KeyboardInterrupt, asyncio.CancelledError):
        asyncio.run(run(options.data, options.seed, options.page))


if __name__ == "__main__":
    main()
