"""What each figure means and what it is held against, in the words that the dashboard shows and the report prints."""

from dataclasses import dataclass
from datetime import date

from data.savings import Parameters, parameters_between


@dataclass(frozen=True)
class Definition:
    """One figure.

    Attributes:
        key: which. text: how it is counted. target: what is aimed at.
        notes: what it is reckoned with, one a line; empty where nothing is assumed.
    """

    key: str
    title: str
    text: str
    target: str
    notes: tuple[str, ...] = ()


_COUNTED = (
    Definition(
        "asked",
        "会诊数",
        "医生提交了会诊申请的病例数，按提交申请那天（北京时间）计算，不管后来是完成还是取消。只建了草稿、没有提交的不算。",
        "目标：一年超过 100 000 例",
    ),
    Definition(
        "answer",
        "应答时间",
        "从医生提交申请，到现在负责的专家接下会诊，所用的时间。专家退回后换人的，算到新的专家接下为止。还没有人接的不算在内。"
        "“90%应答”是指十例里有九例在这个时间以内，由分段计数推算，精确到所在的时间段。",
        "目标：平均少于 15 分钟",
    ),
    Definition(
        "agreement",
        "诊断符合率",
        "已完成的会诊里，基层医生提交时填了怀疑的疾病编码、专家也填了诊断编码的，两者属于同一类疾病"
        "（ICD-10 前三位相同）的比例。没有填编码的不参加比较。",
        "目标：超过 95%",
    ),
    Definition(
        "satisfaction",
        "满意率",
        "患者评价过的会诊里，给四颗星或五颗星的比例。没有评价的不算。",
        "目标：超过 90%",
    ),
)
_WAY = (
    "只算已完成的会诊。“本来要走的路”是患者从家到镇上卫生院、再到这位专家所在的医院，来回的路程；"
    "“实际走的路”是从家到镇上卫生院来回。两家机构之间按坐标量直线，再乘公路系数。"
)
_COST = (
    "只算已完成的会诊。“本来要花的钱”是去这位专家所在的医院要花的：来回车费、误工、自己付的挂号费。"
    "“实际花的钱”是到镇上来回的车费、误工，加上患者为会诊自己付的钱（医保报销的不算，个人账户里付的算）。"
    "检查费、药费两边都不算。"
)
_LEFT_OUT = (
    "机构没有坐标、或当时没有参数的病例算不出来，不参加计算，数量写在旁边；"
    "坐标、参数后来补上或者改正了，夜里会自动重算。"
)


def definitions(first: date, last: date | None = None) -> tuple[Definition, ...]:
    """Give the definition of every figure, with what savings of cases asked on these days are reckoned with: on the
    first alone where no last one is given."""
    held = parameters_between(first, last or first)
    notes = tuple(line for one in held for line in _said(one)) or ("这些天还没有参数，算不出来。",)
    return (
        *_COUNTED,
        Definition("distance", "少走的路", f"{_WAY}{_LEFT_OUT}", "目标：超过 30%", notes),
        Definition("cost", "省下的钱", f"{_COST}{_LEFT_OUT}", "目标：超过 30%", notes),
    )


def parameters_said(held: Parameters) -> str:
    """Say which parameters these are."""
    begins = f"{held.valid_from.year}年{held.valid_from.month}月{held.valid_from.day}日"
    return f"{held.name}，从{begins}起用"


def _said(held: Parameters) -> tuple[str, ...]:
    return (f"计算参数：{parameters_said(held)}", *(one.said for one in held.all))
