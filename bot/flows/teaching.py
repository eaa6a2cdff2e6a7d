"""Whether the patient's images may be used for teaching."""

import re

from backend.people import ConsentKind
from bot.cards.teaching import PROMISES
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
register = TEACHING.register
