"""Consent: which version of the document a person agreed to, refused or withdrew from, and when.

Separate, informed and withdrawable consent to the processing of health data: 《个人信息保护法》 articles 14, 15 and 29.
"""

from sqlalchemy import Select, bindparam, func, select

from backend.errors import Conflict, IllegalMove
from backend.people.context import LONGEST_PAGE, PeopleContext
from backend.people.tables import Consent, Relative
from backend.people.views import ConsentView
from backend.security.policy import Action, Actor, require
from data.consent import ConsentDocument, ConsentKind, consent_document

CARE = ConsentKind.CARE

_PERSON = bindparam("person_id", type_=Consent.person_id.type)
# Asked in most turns, hence made once: the last decisions on a kind's version, by the person or by who speaks for them.
_SPEAKER = select(Relative.speaker_id).where(Relative.person_id == _PERSON).order_by(Relative.added_at).limit(1)
_LATEST = (
    select(Consent.decision)
    .where(Consent.kind == bindparam("kind"), Consent.version == bindparam("version"))
    .order_by(Consent.id.desc())
    .limit(1)
)
_LATEST_OWN = _LATEST.where(Consent.person_id == _PERSON)
_LATEST_THAT_COUNTS = _LATEST.where(Consent.person_id == func.coalesce(_SPEAKER.scalar_subquery(), _PERSON))


class Consents(PeopleContext):
    """The part of `PeopleService` about consent, each kind by itself."""

    def consent_document(self, kind: ConsentKind = CARE) -> ConsentDocument:
        """Give the present version of what people are asked to agree to."""
        return consent_document(kind)

    async def give_consent(self, actor: Actor, version: str, kind: ConsentKind = CARE) -> None:
        """Record that the actor agrees to `version`; agreeing again changes nothing.

        Raises:
            Conflict: `version` is not the present one, so the actor has not read what they would agree to.
        """
        await self._decide(actor, version, "given", kind)

    async def refuse_consent(self, actor: Actor, version: str, kind: ConsentKind = CARE) -> None:
        """Record that the actor does not agree to `version`; raises as `give_consent`."""
        await self._decide(actor, version, "refused", kind)

    async def withdraw_consent(self, actor: Actor, kind: ConsentKind = CARE) -> None:
        """Take the actor's consent back.

        Raises:
            IllegalMove: there is none to take back.
        """
        document = consent_document(kind)
        if await self._latest(_LATEST_OWN, actor.person_id, kind) != "given":
            raise IllegalMove(f"您目前没有同意过《{document.title}》，不需要撤回。")
        await self._decide(actor, document.version, "withdrawn", kind)

    async def _decide(self, actor: Actor, version: str, decision: str, kind: ConsentKind) -> None:
        require(actor, Action.PEOPLE_CONSENT, patient_id=actor.person_id)
        document = consent_document(kind)
        if version != document.version:
            raise Conflict(f"《{document.title}》有了新的版本，请您看过新的再决定。", version=document.version)
        async with self._database.transaction() as session:
            if await self._latest(_LATEST_OWN, actor.person_id, kind) == decision:
                return
            row = Consent(
                person_id=actor.person_id,
                kind=kind,
                version=version,
                decision=decision,
                decided_at=self._clock.now(),
            )
            session.add(row)
            subject = f"consent:{version}" if kind is CARE else f"consent:{kind}:{version}"
            await self._audit.record(session, actor, f"consent.{decision}", patient_id=actor.person_id, subject=subject)
            await self._events.publish(
                session, f"consent.{decision}", person_id=actor.person_id, version=version, kind=kind
            )

    async def has_consent(self, person_id: str, kind: ConsentKind = CARE) -> bool:
        """Tell whether the person's last word on the present version is that they agree. A consent to more than care
        holds only while the one to care does. For a relative counts what the person says who speaks for them."""
        kinds = (kind,) if kind is CARE else (CARE, kind)
        return all([await self._latest(_LATEST_THAT_COUNTS, person_id, one) == "given" for one in kinds])

    async def has_declined(self, person_id: str, kind: ConsentKind = CARE) -> bool:
        """Tell whether the last word on the present version is no: refused, or taken back. Who has not answered yet
        has not declined. For a relative as `has_consent`."""
        return await self._latest(_LATEST_THAT_COUNTS, person_id, kind) in ("refused", "withdrawn")

    async def _latest(self, query: Select[str], person_id: str, kind: ConsentKind) -> str | None:
        values = {"person_id": person_id, "kind": kind, "version": consent_document(kind).version}
        async with self._database.reading() as session:
            return await session.scalar(query, values)

    async def consents(self, actor: Actor) -> list[ConsentView]:
        """List the actor's own decisions, newest first, at most a hundred."""
        query = (
            select(Consent).where(Consent.person_id == actor.person_id).order_by(Consent.id.desc()).limit(LONGEST_PAGE)
        )
        async with self._database.reading() as session:
            rows = (await session.scalars(query)).all()
        return [ConsentView(row.kind, row.version, row.decision, row.decided_at) for row in rows]
