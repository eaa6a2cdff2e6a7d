"""Pay: a month is closed, and everybody whom it concerns hears what came of it."""

from decimal import Decimal

from backend.money import said
from backend.remuneration import Payee, RemunerationService
from backend.remuneration.rules import said_month
from backend.security.policy import SYSTEM
from bot.cards.notices import notice
from bot.cards.pay import statement_card
from bot.messages import Text
from bot.notifications.notifier import Notifier


def _service(notifier: Notifier) -> RemunerationService:
    service = notifier.services.remuneration
    if service is None:
        raise LookupError("an event of pay where nothing is charged")
    return service


async def stated(notifier: Notifier) -> None:
    """An expert gets the statement of a month."""
    expert_id = notifier.payload["practitioner_id"]
    statement = await _service(notifier).statement(SYSTEM, expert_id, notifier.payload["month"])
    note = notice("task", "上个月的劳务费算好了", None, notifier.now, status="已结算", button="我的劳务费")
    await notifier.tell_practitioner(expert_id, statement_card(statement, notice=note))


async def closed(notifier: Notifier) -> None:
    """Administrators hear what the month comes to, and where the table is."""
    month = notifier.payload["month"]
    statements = await _service(notifier).statements(SYSTEM, month)
    totals = {payee: sum((one.payable for one in statements if one.payee is payee), Decimal(0)) for payee in Payee}
    experts = sum(one.payee is Payee.EXPERT for one in statements)
    words = (
        f"{said_month(month)}的劳务费算好了：{experts}位专家，应发{said(totals[Payee.EXPERT])}；"
        f"卫生院{len(statements) - experts}家，应发{said(totals[Payee.INSTITUTION])}。\n"
        f"明细表：在服务器上运行 qiaoyi statements {month}"
    )
    note = notice("task", "上个月的劳务费算好了", None, notifier.now, status="已结算", button="待处理事项")
    await notifier.tell_administrators(Text(words, notice=note))


HANDLERS = {"remuneration.stated": stated, "remuneration.closed": closed}
