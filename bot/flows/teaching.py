"""Whether a patient's images, or their whole case, may be used for teaching. Each is a consent of its own."""

import re

from backend.people import ConsentKind
from bot.cards.teaching import PROMISES
from bot.dialogue import Dialogue
from bot.flows.asked_consent import AskedConsent

TEACHING = AskedConsent(
    kind=ConsentKind.TEACHING,
    verb="patient.teaching",
    words=re.compile(r"(收回|撤回|取消)?教学用图(同意)?[。！!]?"),
    question=f"您拍的检查图像（比如CT片子），可以给医生和学生上课用吗？\n{PROMISES}",
    agreed="您同意过把检查图像给医生和学生上课用。姓名、电话、日期都会先去掉。您随时可以收回。",
    thanks="好的，谢谢您，记下了。以后想收回，发“教学用图”就行。",
    taken_back="已经收回了，以后不会再把您的图像给别人上课用。不影响给您看病。",
    refused="好的，听您的，不会用。不影响给您看病。",
)
CASES = AskedConsent(
    kind=ConsentKind.CASES,
    verb="patient.cases",
    words=re.compile(r"(收回|撤回|取消)?教学病例(同意)?[。！!]?"),
    question=f"您这次看病的经过，可以写成看不出是谁的病例，给医生学习用吗？\n{PROMISES}",
    agreed="您同意过把看病的经过写成病例给医生学习。姓名、电话、日期都会先去掉。您随时可以收回。",
    thanks="好的，谢谢您，记下了。以后想收回，发“教学病例”就行。",
    taken_back="已经收回了，写好的病例马上撤下来、删掉。不影响给您看病。",
    refused="好的，听您的，不会写。不影响给您看病。",
)


def register(dialogue: Dialogue) -> None:
    """Add the questions and their answers."""
    TEACHING.register(dialogue)
    CASES.register(dialogue)
