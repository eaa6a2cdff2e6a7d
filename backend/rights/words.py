"""What was done to a person's data, as they would say it themselves, and as it is told to who watches over it. Pure."""

from collections.abc import Sequence
from datetime import datetime

from backend.clock import local
from backend.security.policy import Role

_BY_ACTION = {
    "people.read": "看了您的姓名、年龄等基本资料",
    "people.read_identity_number": "核对了您的身份证号",
    "people.read_accesses": "查了哪些人看过您的病历",
    "people.copy": "要了一份您的全部资料",
    "people.erase": "要求删除您的资料，或者按您的要求删除",
    "people.break_glass": "因为抢救，紧急查看了您的资料",
    "people.update": "改了您的基本资料",
    "amendment.ask": "请医生更正病历，或者撤回",
    "amendment.read": "看了您提的病历更正",
    "amendment.answer": "答复了您提的病历更正",
    "amendment.oversee": "查了您提的病历更正有没有答复（看不到内容）",
    "imaging.read": "看了您拍的片子",
    "imaging.mark": "在您的片子上做了标记",
    "imaging.oversee": "查了您的片子传到哪里了（看不到片子）",
    "imaging.decide": "核对了片子是不是您的",
    "report.read": "看了您的检查报告",
    "report.read_critical": "看了您检查里要马上处理的结果",
    "prescription.read": "看了您的药方",
    "prescription.oversee": "看了您的药方办到哪一步（看不到开了什么药）",
    "records.read": "看了您的健康情况（病史、过敏、用药、化验）",
    "records.write": "记下了您的健康情况",
    "monitoring.read": "看了您在家量的血压血糖",
    "reminders.read": "看了您的吃药提醒",
    "file.read": "看了您发的照片或语音",
    "video.read_recording": "看了您的视频会诊录像",
    "dispensing.read": "看了您的取药单",
    "audit.read": "查了哪些人看过您的病历",
    "charge.read": "看了您的账单",
    "charge.oversee": "看了您的账单",
    "charge.begin": "为您问了医保能报多少",
    "charge.reconcile": "核对了收的钱和退的钱",
    "invoice.read": "看了您的电子发票",
    "analytics.read": "看了会诊的统计",
    "messaging.read_undelivered": "查了没有送到的消息",
    "messaging.resend": "把没有送到的消息又发了一次",
    "research.export": "把您的病历去掉姓名后拿去做研究",
    "consultation.view": "看了您这次会诊的进展",
    "consultation.list": "看了您的会诊进展",
    "consultation.read_record": "看了您的病情",
}
_BY_SUBJECT = {
    "consultation": "为您办理了会诊",
    "scheduling": "为您安排了会诊时间",
    "report": "写或改了您的检查报告",
    "prescription": "开或审了您的药方",
    "dispensing": "为您配药、取药",
    "imaging": "处理了您拍的片子",
    "video": "参加了您的视频会诊",
    "records": "查了您在医院的病历",
    "monitoring": "处理了您在家量的血压血糖",
    "reminders": "改了您的吃药提醒",
    "charge": "办理了您的会诊费",
    "people": "处理了您的基本资料",
    "consent": "记下了您同意或不同意",
    "signing": "在您的文书上签了名",
    "teaching": "整理了看不出是谁的教学病例",
}
_OTHERWISE = "处理了您的资料"
_OF_NOBODY = {
    "charge.settle_difference": "记下了一处对账差异怎么处理的",
    "console.sign_in": "登录了管理台",
    "console.sign_in_failed": "登录管理台没有成功",
    "console.enrol": "设置了管理台的密码",
    "console.end_session": "结束了管理台的一次登录",
    "console.manage_accounts": "管理了管理台的账号",
    "consent.given": "同意了隐私与会诊说明",
    "file.put": "存了一个文件",
    "keys.rotate": "更换了密钥",
    "operations.read": "看了系统运行状况",
    "people.manage_directory": "管理了人员和机构",
    "people.register": "新来了一位微信用户",
    "analytics.reckon": "重新算了患者省下的路费和时间",
    "masked.export": "导出了一份给测试用的数据，里面没有真实的人",
    "matching.steer": "试了或发布了匹配权重",
    "messaging.manage_channel": "管理了公众号的菜单和模板",
    "reconciliation.read": "看了对账的结果",
    "remuneration.list": "看了专家报酬",
    "research.read_exports": "看了研究数据的导出记录",
    "remuneration.read": "看了专家报酬",
    "surveillance.read": "看了疾病监测的人数",
    "surveillance.assess": "查了一遍疾病监测的预警",
    "surveillance.acknowledge": "核实了疾病监测的预警",
    "scheduling.add_absence": "改了专家的请假",
    "scheduling.read_schedule": "看了专家的排班",
    "scheduling.set_week": "改了专家的出诊时间",
}
"""What is done to no patient's data, or is not told to the patient."""
_WHY = (
    (Role.EXPERT, "会诊专家", "给您会诊"),
    (Role.GRASSROOTS_DOCTOR, "卫生院医生", "给您看病"),
    (Role.PHARMACIST, "药师", "审您的药方、给您配药"),
    (Role.ADMINISTRATOR, "平台管理员", "安排和检查会诊"),
    (Role.INSTITUTION_ADMINISTRATOR, "医院管理员", "安排和检查会诊"),
    (Role.AUDITOR, "审计员", "检查有没有人乱看病历"),
    (Role.DEVICE, "检查设备", "传送您的检查结果"),
    (Role.PATIENT, "微信用户", "替您办事"),
)


def deed(action: str) -> str:
    """Say what was done."""
    subject = action.partition(".")[0]
    return _BY_ACTION.get(action) or _BY_SUBJECT.get(subject, _OTHERWISE)


def deed_for_auditors(action: str) -> str:
    """Say what was done, to somebody whose data it is not."""
    return _OF_NOBODY.get(action) or deed(action).replace("您", "患者")


def kind_and_reason(roles: str) -> tuple[str, str]:
    """Say what kind of person somebody of these roles (separated by commas) is, and what for they look."""
    held = set(roles.split(","))
    return next(((kind, why) for role, kind, why in _WHY if role in held), ("工作人员", "办理您的事"))


def of_which(why: str, consultations: Sequence[tuple[str, datetime]]) -> str:
    """Say what for they look, and in which consultations, each by its day and its number."""
    if not consultations:
        return why
    days = [
        f"{local(opened):%Y年}{local(opened).month}月{local(opened).day}日的会诊（{number}）"
        for number, opened in consultations
    ]
    return f"{why}：您{'、'.join(days)}"
