"""A booking as the patient reads it once it is made."""

from backend.scheduling import BookingView
from bot.messages import Choice, Link, Menu, Message, Notice
from bot.wording import moment


def booked(booking: BookingView, opening: str, calendar: str, notice: Notice | None = None) -> tuple[Message, ...]:
    """Say when it is and what happens until then, with what can be done; and the entry for the phone's calendar.

    Args:
        opening: what was done, such as “约好了”. calendar: address of the calendar file.
    """
    case = booking.consultation_id
    change = Choice(f"patient.book:{case}", "改时间")
    give_up = Choice(f"patient.unbook:{case}", "取消预约")
    when = moment(booking.starts_at)
    return (
        Menu(
            f"{opening}：{when}。\n前一天、前一小时我会提醒您；快到点时，我把视频会诊室发给您，点开就行。",
            (change, give_up),
            notice=notice,
        ),
        Link("加到手机日历", f"{when} 专家会诊", calendar),
    )
