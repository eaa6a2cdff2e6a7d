"""An expert's statement of a month, as it is read in chat."""

from backend.money import said
from backend.remuneration import EntryKind, EntryView, StatementView
from backend.remuneration.rules import said_month
from bot.messages import Choice, Menu, Notice
from bot.wording import lines

_MOST_SHOWN = 8


def statement_card(statement: StatementView, months: tuple[str, ...] = (), notice: Notice | None = None) -> Menu:
    """Give what the month brings, with the way to every line of it and to other months."""
    running = statement.closed_at is None
    shown = statement.entries[-_MOST_SHOWN:]
    head = lines(
        f"{said_month(statement.month)}的劳务费{'（还没到月底，先看到现在为止的）' if running else ''}：",
        f"会诊{sum(entry.kind is EntryKind.SHARE for entry in statement.entries)}次，{'合计' if running else '应发'}"
        f"{said(statement.payable)}。",
        f"上月还有{said(-statement.carried_in)}要扣，这里已经扣了。" if statement.carried_in else "",
        f"还有{said(-statement.carried_out)}没扣完，转到下个月。" if statement.carried_out else "",
        f"最近{len(shown)}笔：" if shown else "这个月还没有。会诊结束、费用结算好，就会算进来。",
        *(f"· {entry_line(entry)}" for entry in shown),
    )
    details = Choice(f"expert.paylines:{statement.month}:0", "每笔怎么算的")
    others = tuple(Choice(f"expert.pay:{month}", said_month(month)) for month in months if month != statement.month)
    return Menu(head, (*((details,) if shown else ()), *others, Choice("expert.mine", "我的会诊")), notice=notice)


def entry_line(entry: EntryView) -> str:
    """Say one amount."""
    amount = f"扣回{said(-entry.amount)}" if entry.amount < 0 else said(entry.amount)
    return f"{entry.consultation_number}　{amount}"


def explained(entry: EntryView) -> str:
    """Say one amount with every line of its explanation."""
    return lines(entry_line(entry), *(f"　{line}" for line in entry.lines))
