"""What doctors, experts, pharmacists and administrators can begin from anywhere."""

from backend.security.policy import Actor, Role
from bot.messages import Choice, Menu

_CHOICES = {
    Role.EXPERT: (
        Choice("expert.offers", "会诊邀请"),
        Choice("expert.mine", "我的会诊"),
        Choice("expert.schedule", "我的日程"),
        Choice("teaching.home", "病例学习"),
    ),
    Role.GRASSROOTS_DOCTOR: (
        Choice("doctor.tasks", "我的任务"),
        Choice("doctor.new", "发起会诊"),
        Choice("doctor.mine", "我的会诊"),
        Choice("doctor.alerts", "监测提醒"),
        Choice("teaching.home", "病例学习"),
    ),
    Role.PHARMACIST: (Choice("pharmacist.queue", "待审处方"), Choice("pharmacy.queue", "取药单")),
    Role.ADMINISTRATOR: (
        Choice("administrator.waiting", "待处理事项"),
        Choice("administrator.invite", "邀请成员"),
    ),
}
WHAT_THEY_CAN_DO = {
    Role.GRASSROOTS_DOCTOR: (
        "· 患者问诊后，任务会直接发到这里\n· 补充体征和检查，一键向上级专家申请会诊\n· 给面前的患者直接发起会诊\n"
        "· 患者家里的血压计这些，数值不对劲会提醒您；写“张三 绑定血压计”“张三 血压 160/100 提醒”就行"
    ),
    Role.EXPERT: (
        "· 有适合您的会诊，邀请会发到这里，点一下就能接受\n· 会诊前看资料摘要，不够可以要求补充\n"
        "· 会诊时和医生、患者三方对话，填写意见\n· 出诊时间随时能改，直接写“每周三下午2点到5点”“明天休息”"
    ),
    Role.PHARMACIST: (
        "· 医生签好的处方会发到这里，您核对后通过或者退回\n· 通过以后患者才看得到处方\n"
        "· 药店的取药单也在这里：接单、配药、发出、核销"
    ),
    Role.ADMINISTRATOR: "· 没有专家接的会诊、请求人工帮助的乡亲，都会通知到您\n· 邀请医生和专家扫码加入",
}
"""What each role finds here, for whoever joins or asks for help."""

_IDLE = {
    Role.EXPERT: "expert",
    Role.GRASSROOTS_DOCTOR: "doctor",
    Role.PHARMACIST: "pharmacist",
    Role.ADMINISTRATOR: "administrator",
}


def staff_role(actor: Actor) -> Role | None:
    """Give the role in which a practitioner is spoken to, None for whoever is a patient only."""
    return next((role for role in _CHOICES if role in actor.roles), None)


def idle_flow(actor: Actor) -> str:
    """Give the name of the flow that hears the actor while none is running."""
    role = staff_role(actor)
    return _IDLE[role] if role else "patient"


def home(actor: Actor, head: str = "您可以点下面的按钮：") -> Menu:
    """Give the first menu of a practitioner, by all the roles that they have, with `head` above it."""
    choices = tuple(choice for role in _CHOICES if role in actor.roles for choice in _CHOICES[role])
    return Menu(head, choices)
