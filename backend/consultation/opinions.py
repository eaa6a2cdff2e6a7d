"""The expert's opinion, given step by step, and the patient's rating."""

from sqlalchemy.ext.asyncio import AsyncSession

from backend.consultation.icd10 import normalise
from backend.consultation.reading import Reading, opinion_view
from backend.consultation.rules import Step, require_text
from backend.consultation.tables import Consultation, Opinion, Rating
from backend.consultation.views import OpinionView, RatingView
from backend.errors import Conflict, InvalidInput
from backend.security.policy import Action, Actor

_LONGEST = 5000
_FIELDS = {"diagnosis": "诊断", "plan": "治疗方案", "notes": "给医生的话"}


class Opinions(Reading):
    """What the consultation came to, and what the patient thought of it."""

    async def record_opinion(
        self,
        actor: Actor,
        consultation_id: str,
        *,
        icd10: str | None = None,
        diagnosis: str | None = None,
        plan: str | None = None,
        notes: str | None = None,
    ) -> OpinionView:
        """Fill in, as the expert, what is given and leave the rest; each text at most 5 000 characters.

        Raises:
            InvalidInput: nothing given, an empty or too long text, or a code without the shape of ICD-10.
        """
        given = {"diagnosis": diagnosis, "plan": plan, "notes": notes}
        changes = {
            field: require_text(text, _FIELDS[field], longest=_LONGEST)
            for field, text in given.items()
            if text is not None
        }
        if icd10 is not None:
            changes["icd10"] = normalise(icd10)
        if not changes:
            raise InvalidInput("请写下会诊意见。")
        async with self._database.transaction() as session:
            action = Action.CONSULTATION_RECORD_OPINION
            case = await self._begin(session, actor, consultation_id, action, Step.RECORD_OPINION)
            now = self._clock.now()
            row = await session.get(Opinion, case.id)
            if row is None:
                row = Opinion(consultation_id=case.id, icd10="", diagnosis="", plan="", notes="", updated_at=now)
                session.add(row)
            for field, text in changes.items():
                setattr(row, field, text)
            row.updated_at = now
            names = "、".join(name for field, name in (_FIELDS | {"icd10": "疾病编码"}).items() if field in changes)
            await self._note(session, actor, case, "opinion", f"填写了{names}")
            await self._publish(session, case, "opinion.recorded", fields=sorted(changes))
            return opinion_view(row)

    async def rate(self, actor: Actor, consultation_id: str, stars: int, comment: str = "") -> RatingView:
        """Rate, as the patient and once, a consultation that has ended; a comment may follow the same stars later.

        Args:
            stars: 1 to 5.
            comment: at most 1 000 characters.

        Raises:
            InvalidInput: other stars. Conflict: it is rated already.
        """
        if isinstance(stars, bool) or not isinstance(stars, int) or not 1 <= stars <= 5:
            raise InvalidInput("请给1到5颗星。")
        said = require_text(comment, "评价", longest=1000, required=False)
        async with self._database.transaction() as session:
            case = await self._begin(session, actor, consultation_id, Action.CONSULTATION_RATE, Step.RATE)
            row = await session.get(Rating, case.id)
            if row is not None:
                if row.stars != stars or row.comment or not said:
                    raise Conflict("您已经评价过这次会诊了，谢谢您。")
                row.comment = said
                return RatingView(row.stars, row.comment, row.rated_at)
            row = Rating(consultation_id=case.id, stars=stars, comment=said, rated_at=self._clock.now())
            session.add(row)
            await self._note(session, actor, case, "rated", f"患者评价：{stars}颗星")
            await self._publish(session, case, "consultation.rated", stars=stars)
            return RatingView(row.stars, row.comment, row.rated_at)

    async def _missing(self, session: AsyncSession, case: Consultation) -> tuple[str, ...]:
        """Give the names of the fields that the opinion lacks before it can be closed."""
        row = await session.get(Opinion, case.id)
        return ("diagnosis", "plan") if row is None else opinion_view(row).missing
