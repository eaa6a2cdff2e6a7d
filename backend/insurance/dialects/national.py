"""The platform as the nation describes it, and as the sandbox plays it.

The specification gives one code of failure and leaves the others to the provinces; those below are the sandbox's. It
has no code of medical type for remote consultations either: the two below are ours.
"""

from backend.insurance.dialects.dialect import Dialect

NATIONAL = Dialect(
    name="national",
    version="V1.0",
    receiver="01",
    operator="qiaoyi",
    path="",
    insurances={"310": "employee", "390": "resident"},
    helped=frozenset({"0102", "0103", "0104"}),
    medical_types={"remote_consultation": "1190", "revisit": "1191", "medicine": "41"},
    sentences={
        "1001": "医保那边没有查到这个身份证号，请对照身份证看看有没有写错。",
        "1002": "姓名和身份证号在医保那边对不上，请对照身份证看看有没有写错。",
        "1003": "医保现在用不了，可能是停保或者欠费了，请到医保窗口问一问。",
        "2001": "这家医院还没有接通医保。",
        "2002": "医保那边没有查到这次就诊的登记。",
        "2003": "这次就诊已经登记过医保了。",
        "2004": "这次就诊的医保已经结算了，要先撤销才能改。",
        "2005": "医保那边没有查到这笔结算，可能已经撤销了。",
        "2006": "这次就诊的费用还没有传给医保。",
        "2007": "费用和传给医保的对不上，请联系工作人员。",
        "2010": "这一步已经作废了，请重新来一次。",
        "9999": "医保系统现在太忙，请过几分钟再试。",
    },
)
