"""Writing a prescription: the draft, its lines, reasons against warnings, copies and templates."""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.consultation import CaseReference
from backend.consultation.icd10 import normalise
from backend.consultation.rules import Status, require_text
from backend.errors import Conflict, IllegalMove, InvalidInput, NotFound
from backend.ids import new_id
from backend.prescription.context import (
    PrescriptionContext,
    check_revision,
    lines_of,
    overrides_of,
    practitioner_of,
    stored_line,
    stored_override,
)
from backend.prescription.formulary import LONGEST_NOTE, Proposal, Said
from backend.prescription.rules import Line, Override, Severity, State, Step, after
from backend.prescription.tables import Prescription, PrescriptionTemplate
from backend.prescription.templates import shipped
from backend.prescription.views import PrescriptionView, TemplateView
from backend.security.policy import SYSTEM, Action, Actor, require

_MOST_DIAGNOSES = 5
_MOST_TEMPLATES = 50
_LONGEST_TEMPLATE_NAME = 20


class Writing(PrescriptionContext):
    """The part of `PrescriptionService` about drafts. All of it is the prescriber's alone."""

    async def may_write(self, actor: Actor, consultation_id: str) -> bool:
        """Tell whether the actor may prescribe in a consultation: its doctor and its expert."""
        reference = await self._reference(consultation_id)
        return actor.practitioner_id is not None and actor.practitioner_id in reference.participants

    async def draft(self, actor: Actor, consultation_id: str) -> PrescriptionView:
        """Give the actor's draft in a consultation, a fresh one with its diagnosis where there is none.

        Raises:
            NotFound: no such consultation. Forbidden: the actor is neither its doctor nor its expert.
            IllegalMove: the consultation was cancelled. ReferenceUnreadable: nothing can be checked.
        """
        _ = self.formulary.reference
        async with self._database.transaction() as session:
            reference = await self._reference(consultation_id)
            require(actor, Action.PRESCRIPTION_WRITE, participants=reference.participants)
            query = select(Prescription).where(
                Prescription.consultation_id == consultation_id,
                Prescription.prescriber_id == practitioner_of(actor),
                Prescription.state == State.DRAFT,
            )
            row = await session.scalar(query.limit(1))
            if row is None:
                row = await self._new_draft(session, actor, reference)
            return await self._view(session, row)

    async def write(
        self,
        actor: Actor,
        prescription_id: str,
        *,
        revision: int | None = None,
        lines: Sequence[Line] | None = None,
        diagnoses: Sequence[str] | None = None,
        chronic: bool | None = None,
        in_person: bool | None = None,
    ) -> PrescriptionView:
        """Change what is given of a draft, and leave the rest. Reasons against warnings that no longer hold go.

        Args:
            revision: the one that the writer saw; None where they add to whatever is there.
            diagnoses: codes of ICD-10, the main one first.
            in_person: a doctor has the patient before them.

        Raises:
            Conflict: it changed meanwhile. IllegalMove: it is signed. InvalidInput: a line or a code is wrong, or
                there are too many.
        """
        async with self._database.transaction() as session:
            row = await self._draft(session, actor, prescription_id, revision)
            if lines is not None:
                row.lines = [stored_line(one) for one in self._valid_lines(lines)]
            if diagnoses is not None:
                row.diagnoses = _valid_diagnoses(diagnoses)
            if chronic is not None:
                row.chronic = chronic
            if in_person is not None:
                row.in_person = in_person
            await self._changed(row)
            return await self._view(session, row)

    async def put_line(
        self, actor: Actor, prescription_id: str, line: Line, index: int | None = None
    ) -> PrescriptionView:
        """Put a line in the place `index` of a draft, or at its end. Raises: as `write`."""
        async with self._database.transaction() as session:
            row = await self._draft(session, actor, prescription_id, None)
            lines = list(lines_of(row.lines))
            if index is None:
                lines.append(line)
            elif 0 <= index < len(lines):
                lines[index] = line
            else:
                raise Conflict("这张处方刚在别的地方改过，请重新打开再改。")
            return await self.write(actor, prescription_id, lines=lines)

    async def remove_line(self, actor: Actor, prescription_id: str, index: int) -> PrescriptionView:
        """Take a line out of a draft; one that is not there any more is out. Raises: as `write`."""
        async with self._database.transaction() as session:
            row = await self._draft(session, actor, prescription_id, None)
            lines = [one for number, one in enumerate(lines_of(row.lines)) if number != index]
            return await self.write(actor, prescription_id, lines=lines)

    async def override(
        self, actor: Actor, prescription_id: str, rule: str, subject: str, reason: str, *, revision: int | None = None
    ) -> PrescriptionView:
        """Write down why a warning does not hold here; it is signed with the prescription.

        Raises:
            InvalidInput: no reason, or it is too long. IllegalMove: a stop, which no reason overrides.
            NotFound: the checks find no such warning. Conflict: the draft changed meanwhile.
        """
        said = require_text(reason, "理由", longest=200)
        async with self._database.transaction() as session:
            row = await self._draft(session, actor, prescription_id, revision)
            found = [one for one in await self._found(row) if (one.rule, one.subject) == (rule, subject)]
            if any(one.severity is Severity.STOP for one in found):
                raise IllegalMove("这是禁止的，写理由也不能开。请换一种药。")
            if not any(one.severity is Severity.WARNING for one in found):
                raise NotFound("这条提醒已经没有了，不用写理由。")
            others = [one for one in overrides_of(row.overrides) if (one.rule, one.subject) != (rule, subject)]
            others.append(Override(rule, subject, said, self._clock.now()))
            row.overrides = [stored_override(one) for one in others]
            row.revision += 1
            row.updated_at = self._clock.now()
            return await self._view(session, row)

    async def discard(self, actor: Actor, prescription_id: str) -> None:
        """Throw a draft away.

        Raises:
            IllegalMove: it is or was signed: what was returned is kept and can be changed, or stays.
        """
        async with self._database.transaction() as session:
            row = await self._draft(session, actor, prescription_id, None)
            if row.version:
                raise IllegalMove("这张处方签过名，要留着备查，不能丢掉。不开了，放着就行。")
            await self._record(session, actor, "prescription.discard", row)
            await session.delete(row)

    async def proposal(self, actor: Actor, prescription_id: str, preparation: str) -> Proposal:
        """Give a line of a preparation that fits the patient. Raises InvalidInput where there is none of this code."""
        async with self._database.transaction() as session:
            row = await self._row(session, actor, prescription_id, Action.PRESCRIPTION_WRITE)
            return self.formulary.propose(preparation, await self._background(row), self._today())

    async def describe(self, actor: Actor, prescription_id: str, line: Line) -> Said:
        """Give in words a line that is not in the draft yet. Raises InvalidInput where it cannot be."""
        async with self._database.transaction() as session:
            row = await self._row(session, actor, prescription_id, Action.PRESCRIPTION_WRITE)
            return self.formulary.said(self.formulary.valid(line), await self._background(row), self._today())

    async def copy_last(self, actor: Actor, prescription_id: str, of: str = "") -> PrescriptionView:
        """Fill a draft with the lines of the patient's last approved prescription, whoever wrote it, and with its
        diagnoses where the draft has none.

        Args:
            of: the approved prescription of this patient that is meant instead.

        Raises:
            NotFound: the patient has none yet. InvalidInput: a medicine of it is not in the reference any more.
        """
        async with self._database.transaction() as session:
            row = await self._draft(session, actor, prescription_id, None)
            query = select(Prescription).where(
                Prescription.patient_id == row.patient_id, Prescription.approved_at.is_not(None)
            )
            if of:
                query = query.where(Prescription.id == of)
            last = await session.scalar(query.order_by(Prescription.approved_at.desc()).limit(1))
            if last is None:
                raise NotFound("这位患者在这里还没有开过处方。")
            await self._record(session, actor, "prescription.copy", last)
            return await self.write(
                actor,
                prescription_id,
                lines=lines_of(last.lines),
                diagnoses=row.diagnoses or last.diagnoses,
                chronic=last.chronic,
            )

    async def templates(self, actor: Actor) -> list[TemplateView]:
        """List the actor's own templates, then the shipped ones whose medicines are all there."""
        query = select(PrescriptionTemplate).where(PrescriptionTemplate.practitioner_id == _owner(actor))
        async with self._database.reading() as session:
            rows = (await session.scalars(query.order_by(PrescriptionTemplate.id))).all()
        own = [TemplateView(row.id, row.name, lines_of(row.lines), row.chronic, own=True) for row in rows]
        known = self.formulary.reference.preparations
        return [*own, *(one for one in shipped() if all(line.preparation in known for line in one.lines))]

    async def save_template(self, actor: Actor, prescription_id: str, name: str) -> TemplateView:
        """Keep the lines of the actor's prescription under a name; another one of that name is replaced.

        Raises:
            InvalidInput: no name, or no lines. Conflict: there are fifty already.
        """
        said = require_text(name, "模板名称", longest=_LONGEST_TEMPLATE_NAME)
        async with self._database.transaction() as session:
            row = await self._row(session, actor, prescription_id, Action.PRESCRIPTION_WRITE)
            if not row.lines:
                raise InvalidInput("处方里还没有药，存不了模板。")
            owner = _owner(actor)
            query = select(PrescriptionTemplate).where(PrescriptionTemplate.practitioner_id == owner)
            rows = (await session.scalars(query)).all()
            template = next((one for one in rows if one.name == said), None)
            if template is None:
                if len(rows) >= _MOST_TEMPLATES:
                    raise Conflict(f"模板最多存{_MOST_TEMPLATES}个，请先删掉不用的。")
                template = PrescriptionTemplate(id=new_id(), practitioner_id=owner, name=said)
                session.add(template)
            template.lines, template.chronic = row.lines, row.chronic
            return TemplateView(template.id, said, lines_of(row.lines), row.chronic, own=True)

    async def delete_template(self, actor: Actor, template_id: str) -> None:
        """Delete a template of the actor's own; one that is not there is deleted."""
        async with self._database.transaction() as session:
            row = await session.get(PrescriptionTemplate, template_id)
            if row is not None and row.practitioner_id == _owner(actor):
                await session.delete(row)

    async def use_template(self, actor: Actor, prescription_id: str, template_id: str) -> PrescriptionView:
        """Fill a draft with the lines of a template. Raises NotFound where there is none; else as `write`."""
        template = next((one for one in await self.templates(actor) if one.id == template_id), None)
        if template is None:
            raise NotFound("没有找到这个模板。")
        return await self.write(actor, prescription_id, lines=template.lines, chronic=template.chronic)

    async def _draft(
        self, session: AsyncSession, actor: Actor, prescription_id: str, revision: int | None
    ) -> Prescription:
        row = await self._row(session, actor, prescription_id, Action.PRESCRIPTION_WRITE, lock=True)
        after(row.state, Step.WRITE)
        check_revision(row, revision)
        return row

    async def _new_draft(self, session: AsyncSession, actor: Actor, reference: CaseReference) -> Prescription:
        case = await self._consultations.get(SYSTEM, reference.id)
        if case.status is Status.CANCELLED:
            raise IllegalMove("这次会诊已经取消，不能开处方。")
        diagnosis = (case.opinion.icd10 if case.opinion else "") or case.icd10
        counted = select(func.count(Prescription.id)).where(Prescription.consultation_id == reference.id)
        ordinal = (await session.scalar(counted) or 0) + 1
        prescriber = await self._people.practitioner(practitioner_of(actor))
        now = self._clock.now()
        row = Prescription(
            id=new_id(),
            number=f"CF{reference.number[2:]}-{ordinal:02}",
            consultation_id=reference.id,
            patient_id=reference.patient_id,
            prescriber_id=prescriber.id,
            institution_id=prescriber.institution_id,
            state=State.DRAFT,
            revision=0,
            version=0,
            chronic=False,
            lines=[],
            diagnoses=[diagnosis] if diagnosis else [],
            overrides=[],
            created_at=now,
            updated_at=now,
            return_reason="",
            revocation_reason="",
        )
        session.add(row)
        await session.flush()
        await self._record(session, actor, Action.PRESCRIPTION_WRITE, row)
        return row

    async def _changed(self, row: Prescription) -> None:
        """Count a change, and drop the reasons against warnings that the checks do not find any more."""
        row.revision += 1
        row.updated_at = self._clock.now()
        found = {(one.rule, one.subject) for one in await self._found(row)}
        kept = [one for one in overrides_of(row.overrides) if (one.rule, one.subject) in found]
        row.overrides = [stored_override(one) for one in kept]

    def _valid_lines(self, lines: Sequence[Line]) -> list[Line]:
        most = self.formulary.limits.max_medicines
        if len(lines) > most:
            raise InvalidInput(f"一张处方最多{most}种药（处方管理办法第六条），多的请另开一张。", field="lines")
        notes = [require_text(one.note, "嘱咐", longest=LONGEST_NOTE, required=False) for one in lines]
        return [self.formulary.valid(replace(one, note=note)) for one, note in zip(lines, notes, strict=True)]


def _owner(actor: Actor) -> str:
    """Give whose templates these are. Raises Forbidden where the actor does not prescribe."""
    require(actor, Action.PRESCRIPTION_WRITE, participants=(actor.practitioner_id or "",))
    return practitioner_of(actor)


def _valid_diagnoses(codes: Sequence[str]) -> list[str]:
    if len(codes) > _MOST_DIAGNOSES:
        raise InvalidInput(f"诊断最多写{_MOST_DIAGNOSES}个。", field="diagnoses")
    return list(dict.fromkeys(normalise(code) for code in codes))
