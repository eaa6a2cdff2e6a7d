"""Whether what a patient told may be used for research."""

import re

from backend.people import ConsentKind
from bot.flows.asked_consent import AskedConsent

RESEARCH = AskedConsent(
    kind=ConsentKind.RESEARCH,
    verb="patient.research",
    words=re.compile(r"(收回|撤回|取消)?病历研究(同意)?[。！!]?"),
    question=(
        "您看病的情况，可以和许多人的放在一起，用来研究怎样把病看得更好吗？\n"
        "· 姓名、电话、住址都会先去掉，别人看不出是您。\n"
        "· 同意不同意，都不影响给您看病。\n"
        "· 同意以后，随时可以收回。"
    ),
    agreed="您同意过把看病的情况用来做研究。姓名、电话、住址都会先去掉。您随时可以收回。",
    thanks="好的，谢谢您，记下了。以后想收回，发“病历研究”就行。",
    taken_back="已经收回了，以后不会再用您的病历做研究。不影响给您看病。",
    refused="好的，听您的，不会用。不影响给您看病。",
)
register = RESEARCH.register
