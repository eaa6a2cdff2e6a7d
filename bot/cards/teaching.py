"""The question whether a patient's images may be used for teaching, and its answers."""

from bot.messages import Choice

PROMISES = (
    "· 姓名、电话、日期都会先去掉，别人看不出是您。\n· 同意不同意，都不影响给您看病。\n· 同意以后，随时可以收回。"
)
TERMS = Choice("patient.teaching_terms", "看说明")


def answers(version: str) -> tuple[Choice, Choice]:
    """Give yes and no to this version of the document."""
    return Choice(f"patient.teaching_agree:{version}", "可以"), Choice("patient.teaching_refuse", "不可以")
