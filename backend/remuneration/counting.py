"""Counting a month: from settled consultations to amounts with their explanations. Reads, writes nothing."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.clock import local
from backend.consultation import ConsultationService, ConsultationView, OfferState
from backend.money import said, to_fen, to_yuan
from backend.remuneration.rules import BACK, EntryKind, Payee, Work, pay, payable, said_month, subsidy
from backend.remuneration.tables import EntryRow, PaidCase, StatementRow
from backend.reporting import ReportService
from backend.security.policy import SYSTEM
from data.remuneration import Formula, formula_on

_GIVEN_BACK = "诊费已经退给患者，这次没有劳务费。"


@dataclass(frozen=True)
class Counted:
    """An amount of a month in fen, before or after it was written."""

    charge_id: str
    consultation_id: str
    payee: Payee
    payee_id: str
    kind: EntryKind
    amount: int
    formula: str
    lines: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True)
class Sums:
    """What the entries of somebody's month come to, in fen (`rules.payable`)."""

    earned: int
    carried_in: int
    payable: int
    carried_out: int


class Counting:
    """Counts what is not closed yet.

    Args:
        formulas: the formulas of pay; the shipped ones where None.
    """

    def __init__(
        self, consultations: ConsultationService, reports: ReportService, formulas: tuple[Formula, ...] | None
    ) -> None:
        self._consultations = consultations
        self._reports = reports
        self._formulas = formulas

    async def entries(
        self, session: AsyncSession, cases: Sequence[PaidCase], reversals: Sequence[PaidCase]
    ) -> list[Counted]:
        """Give what `cases` bring and `reversals` take back, to everybody."""
        found: list[Counted] = []
        subsidies: dict[str, int] = defaultdict(int)  # of this month, by institution
        for case in cases:
            found += await self._of_case(case, subsidies)
        for case in reversals:
            found += await self._taken_back(session, case)
        return found

    async def _of_case(self, case: PaidCase, subsidies: dict[str, int]) -> list[Counted]:
        if case.reversed_month is not None:
            return [_counted(case, Payee.EXPERT, case.expert_id, EntryKind.SHARE, 0, "", (_GIVEN_BACK,))]
        view = await self._consultations.get(SYSTEM, case.consultation_id)
        done_at = view.closed_at or case.settled_at
        formula = formula_on(local(done_at).date(), self._formulas)
        shares = pay(await self._work(case, view), formula)
        support = to_fen(subsidy(formula, to_yuan(subsidies[case.institution_id])))
        subsidies[case.institution_id] += support
        code = formula.code
        own = _counted(
            case,
            Payee.EXPERT,
            case.expert_id,
            EntryKind.SHARE,
            to_fen(shares.expert),
            code,
            (_day(done_at), *shares.lines),
        )
        share = to_fen(shares.institution)
        of_share = (_day(done_at), f"诊费{said(shares.total)}，机构分成{said(shares.institution)}。")
        of_subsidy = (_day(done_at), f"财政补助{said(to_yuan(support))}，每月最多{said(formula.subsidy_month)}。")
        institution = [
            _counted(case, Payee.INSTITUTION, case.institution_id, kind, amount, code, lines)
            for kind, amount, lines in (
                (EntryKind.SHARE, share, of_share),
                (EntryKind.SUBSIDY, support, of_subsidy),
            )
            if amount
        ]
        return [own, *institution]

    async def _work(self, case: PaidCase, view: ConsultationView) -> Work:
        return Work(
            fee=to_yuan(case.fee),
            duration=None if view.started_at is None or view.closed_at is None else view.closed_at - view.started_at,
            urgency=view.urgency.value,
            response=await self._response(case),
            stars=None if view.rating is None else view.rating.stars,
            has_report=await self._reports.signed(SYSTEM, case.consultation_id) > 0,
        )

    async def _response(self, case: PaidCase) -> timedelta | None:
        for offer in await self._consultations.offers_of(SYSTEM, case.consultation_id):
            if offer.expert_id == case.expert_id and offer.state is OfferState.ACCEPTED and offer.answered_at:
                return offer.answered_at - offer.made_at
        return None

    async def _taken_back(self, session: AsyncSession, case: PaidCase) -> list[Counted]:
        query = select(EntryRow).where(EntryRow.charge_id == case.charge_id, EntryRow.amount > 0).order_by(EntryRow.id)
        return [
            _counted(
                case,
                row.payee,
                row.payee_id,
                BACK[row.kind],
                -row.amount,
                row.formula,
                (
                    f"{said_month(row.month)}算过的这次会诊，诊费后来退给患者了。",
                    f"当时的{row.kind.label}{said(to_yuan(row.amount))}在这里扣回。",
                ),
            )
            for row in await session.scalars(query)
        ]


async def sums_of(session: AsyncSession, month: str, payee_id: str, entries: Sequence[Counted]) -> Sums:
    """Give what entries of a month that is not closed come to, with what earlier months left to take back."""
    query = select(StatementRow.carried_out).where(StatementRow.payee_id == payee_id, StatementRow.month < month)
    carried = await session.scalar(query.order_by(StatementRow.month.desc()).limit(1)) or 0
    earned = sum(entry.amount for entry in entries)
    paid, left = payable(to_yuan(earned), to_yuan(carried))
    return Sums(earned, carried, to_fen(paid), to_fen(left))


def as_counted(row: EntryRow) -> Counted:
    """Give an entry as it was written."""
    return Counted(
        row.charge_id,
        row.consultation_id,
        row.payee,
        row.payee_id,
        row.kind,
        row.amount,
        row.formula,
        tuple(row.lines),
    )


def _counted(
    case: PaidCase,
    payee: Payee,
    payee_id: str,
    kind: EntryKind,
    amount: int,
    formula: str,
    lines: tuple[str, ...],
) -> Counted:
    return Counted(case.charge_id, case.consultation_id, payee, payee_id, kind, amount, formula, lines)


def _day(at: datetime) -> str:
    there = local(at)
    return f"{there.month}月{there.day}日的会诊。"
