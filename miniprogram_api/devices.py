"""What devices at home say: a one-time code becomes a token, and readings come in batches."""

from typing import Annotated, Literal

from pydantic import AwareDatetime, BeforeValidator, Field

from backend.records.monitoring.intake import MOST_READINGS
from backend.records.monitoring.readings import Kind, Refusal, Said
from backend.records.monitoring.views import Taken
from miniprogram_api.endpoint import Call, Endpoint, Model, TooManyRequests, number

_CODES, _SECONDS = 20, 60
_MESSAGES = {
    Refusal.IMPLAUSIBLE: "这个数值不可能，没有保存。请重新测量。",
    Refusal.FUTURE: "测量时间在将来，没有保存。请校准设备的时间。",
    Refusal.CLOCK_UNSET: "测量时间不对，没有保存。请校准设备的时间。",
}

Decimal = Annotated[float, BeforeValidator(number), Field(allow_inf_nan=False)]
"""A number as JSON knows it, not "5" and not true."""


class PairingRequest(Model):
    """The one-time code from the chat, as it was read or typed; blanks and small letters do not matter."""

    code: str = Field(min_length=1, max_length=32)


class PairingAnswer(Model):
    """The token of a device, given this once: send it as `Authorization: Bearer …` with its readings."""

    device_id: str
    token: str


class DeviceReading(Model):
    """One reading.

    Attributes:
        id: the device's own name of it, the same whenever it is sent again.
        taken_at: by the device's clock.
        systolic, diastolic: of `blood_pressure`. value: of the other kinds.
        unit: left out for mmHg, a minute, %, mmol/L and °C; else UCUM (`kPa`, `mg/dL`, `[degF]`) or as people write it.
        timing: of `glucose`.
    """

    id: str = Field(min_length=1, max_length=64, pattern=r"^[!-~]+$")
    kind: Literal["blood_pressure", "heart_rate", "spo2", "glucose", "temperature"]
    taken_at: AwareDatetime
    value: Decimal | None = None
    systolic: Decimal | None = None
    diastolic: Decimal | None = None
    unit: str = Field("", max_length=16)
    timing: Literal["fasting", "after_meal", "random"] | None = None


class DeviceReadings(Model):
    """A batch of readings; `sent_at` is what the device's clock shows now: where that is wrong, their times are put
    right by as much."""

    readings: list[DeviceReading] = Field(min_length=1, max_length=MOST_READINGS)
    sent_at: AwareDatetime | None = None


class ReadingOutcome(Model):
    """What became of a reading: `taken`; `known`, it was here before; `refused`, with the reason, and not kept."""

    id: str
    outcome: Literal["taken", "known", "refused"]
    reason: Literal["implausible", "future", "clock_unset"] | None = None
    message: str | None = None


class ReadingsAnswer(Model):
    """What became of each reading, in the order in which they came."""

    readings: list[ReadingOutcome]


async def _pair(call: Call) -> PairingAnswer:
    if not await call.context.limits.allow(f"pairing:{call.address}", _CODES, seconds=_SECONDS):
        raise TooManyRequests
    new = await call.context.monitoring.redeem_code(call.body.code)
    return PairingAnswer(device_id=new.device_id, token=new.token)


async def _take(call: Call) -> ReadingsAnswer:
    said = [_said(one) for one in call.body.readings]
    taken = await call.context.monitoring.take(call.actor, said, call.body.sent_at)
    return ReadingsAnswer(readings=[_outcome(one) for one in taken])


def _said(one: DeviceReading) -> Said:
    kind = Kind(one.kind)
    given = {kind.value: one.value, "systolic": one.systolic, "diastolic": one.diastolic}
    values = {measure: value for measure, value in given.items() if value is not None}
    return Said(one.id, kind, one.taken_at, values, one.timing or "", one.unit)


def _outcome(taken: Taken) -> ReadingOutcome:
    if taken.refusal is not None:
        message = _MESSAGES[taken.refusal]
        return ReadingOutcome(id=taken.id, outcome="refused", reason=taken.refusal.value, message=message)
    return ReadingOutcome(id=taken.id, outcome="known" if taken.known else "taken")


ENDPOINTS = (
    Endpoint(
        "POST",
        "/api/v1/devices/pairings",
        "pairDevice",
        "Exchange a one-time code for the token of a device at home",
        _pair,
        PairingAnswer,
        body=PairingRequest,
        status=201,
        open=True,
    ),
    Endpoint(
        "POST",
        "/api/v1/devices/readings",
        "sendReadings",
        "Send what a device at home has measured",
        _take,
        ReadingsAnswer,
        body=DeviceReadings,
        device=True,
    ),
)
