"""Everything that one sandbox holds."""

from datetime import UTC, datetime

from aiohttp import web

from sandbox.clock import MovableClock
from sandbox.faults import Faults
from sandbox.hospital.histories import fill
from sandbox.hospital.server import Hospital
from sandbox.insurer.server import Insurer
from sandbox.journal import Journal
from sandbox.settings import Settings
from sandbox.stream import Stream
from sandbox.wechat.account import Account
from sandbox.wechat_pay.merchant_side import WeChatPay


class World:
    """The clock, the faults and the journal that all played parties share, and the parties."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.clock = MovableClock()
        self.stream = Stream()
        self.faults = Faults()
        self.journal = Journal(self.clock)
        self.hospital = Hospital(self.clock.now)
        self._admit()
        self.insurer = Insurer(self.clock.now, self.faults, self.journal)
        self.account = Account(settings, self.clock, self.stream, self.journal, self.faults)
        self.pay = WeChatPay(settings, self.clock, self.journal, self.faults)

    async def reset(self) -> None:
        """Forget everything but the settings."""
        await self.account.courier.cancel_all()
        self.account.clear()
        self.pay.clear()
        self.faults.clear()
        self.journal.clear()
        self._admit()
        self.insurer.books.clear()
        self.clock.move(0.0)
        self.stream.publish({"reset": True})

    def _admit(self) -> None:
        """Let the hospital know its patients, and nothing else."""
        self.hospital.clear()
        fill(self.hospital.store, datetime.fromtimestamp(self.clock.now(), UTC))


WORLD = web.AppKey("world", World)
