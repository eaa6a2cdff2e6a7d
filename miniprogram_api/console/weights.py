"""What experts are compared by: the weights that hold, a draft tried on past cases, publishing, going back."""

from datetime import datetime

from pydantic import Field

from backend.consultation import Criterion, Means, Urgency, WeightsVersion
from backend.consultation.weights import LABELS
from miniprogram_api.console.endpoint import ConsoleCall, ConsoleEndpoint
from miniprogram_api.endpoint import Model, Number, Reason

_PATH = "/console/api/weights"
_MEANINGS = {
    Criterion.EXPERTISE: "专家擅长的病和医生怀疑的病对得上，越具体分越高；同科室也有分。",
    Criterion.AVAILABILITY: "现在就在班的得满分；过几个小时、几天才有空的依次减少。",
    Criterion.RESPONSE: "过去回应邀请越快分越高；邀请到时间没有回应，按半小时算。",
    Criterion.LOAD: "手上正在进行的会诊越少分越高，八例以上不得分。",
    Criterion.SENIORITY: "职称占七成，从业年数占三成。",
}

Percentages = dict[Urgency, dict[Criterion, Number]]


class CriterionItem(Model):
    """Something that experts are compared by."""

    code: Criterion
    name: str
    meaning: str


class UrgencyItem(Model):
    """An urgency; each has weights of its own."""

    code: Urgency
    name: str


class WeightsItem(Model):
    """A version of the weights, in percent; version 0 is what the product comes with."""

    version: int
    percentages: dict[Urgency, dict[Criterion, int]]
    reason: str
    published_by: str
    published_at: datetime | None


class WeightsAnswer(Model):
    """What there is to weigh, and the versions, the one that holds first."""

    criteria: list[CriterionItem]
    urgencies: list[UrgencyItem]
    versions: list[WeightsItem]


class TrialOf(Model):
    """A draft, and on how many of the last finished cases it is tried."""

    percentages: Percentages
    count: int = Field(100, ge=1, le=500)


class Publication(Model):
    """A draft that is to hold, the version that was seen when it was made, and why."""

    percentages: Percentages
    version: int = Field(ge=0)
    reason: Reason


class MeansItem(Model):
    """Of the experts who come first, on average; null where nothing is known."""

    distance_km: float | None
    wait_minutes: float | None
    running: float | None


class TriedUrgency(Model):
    """How many past cases of an urgency were compared, and in how many somebody else comes first."""

    code: Urgency
    name: str
    cases: int
    changed: int


class ChoiceItem(Model):
    """A past case in which somebody else comes first."""

    consultation_id: str
    number: str
    urgency_name: str
    before: str
    after: str


class TrialAnswer(Model):
    """Past cases under the weights that hold, and under the draft."""

    cases: int
    changed: int
    urgencies: list[TriedUrgency]
    before: MeansItem
    after: MeansItem
    choices: list[ChoiceItem]


async def _weights(call: ConsoleCall) -> WeightsAnswer:
    found = await call.context.consultations.weights(call.actor)
    names = await _names(call, found)
    return WeightsAnswer(
        criteria=[CriterionItem(code=one, name=LABELS[one], meaning=_MEANINGS[one]) for one in Criterion],
        urgencies=[UrgencyItem(code=one, name=one.label) for one in Urgency],
        versions=[_version(one, names) for one in found],
    )


async def _names(call: ConsoleCall, found: list[WeightsVersion]) -> dict[str, str]:
    ids = {one.published_by for one in found if one.published_by}
    return await call.context.people.names(ids) | await call.context.console.names(ids)


def _version(one: WeightsVersion, names: dict[str, str]) -> WeightsItem:
    return WeightsItem(
        version=one.version,
        percentages={urgency: dict(held) for urgency, held in one.percentages.items()},
        reason=one.reason,
        published_by=names.get(one.published_by, ""),
        published_at=one.published_at,
    )


async def _trial(call: ConsoleCall) -> TrialAnswer:
    found = await call.context.consultations.try_weights(call.actor, call.body.percentages, call.body.count)
    return TrialAnswer(
        cases=sum(found.cases.values()),
        changed=sum(found.changed.values()),
        urgencies=[
            TriedUrgency(code=one, name=one.label, cases=found.cases[one], changed=found.changed[one])
            for one in Urgency
        ],
        before=_means(found.before),
        after=_means(found.after),
        choices=[
            ChoiceItem(
                consultation_id=one.consultation_id,
                number=one.number,
                urgency_name=one.urgency.label,
                before=one.before,
                after=one.after,
            )
            for one in found.choices
        ],
    )


def _means(means: Means) -> MeansItem:
    return MeansItem(**vars(means))


async def _publish(call: ConsoleCall) -> WeightsItem:
    wanted = call.body
    published = await call.context.consultations.publish_weights(
        call.actor, wanted.percentages, seen=wanted.version, reason=wanted.reason
    )
    return _version(published, await _names(call, [published]))


ENDPOINTS = (
    ConsoleEndpoint("GET", _PATH, "weights", "The weights that hold, and those before", _weights, WeightsAnswer),
    ConsoleEndpoint("POST", f"{_PATH}/trial", "tryWeights", "A draft on past cases", _trial, TrialAnswer, body=TrialOf),
    ConsoleEndpoint(
        "POST", _PATH, "publishWeights", "Let a draft hold", _publish, WeightsItem, status=201, body=Publication
    ),
)
