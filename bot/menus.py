"""The menus under the chat: what everybody finds there, by their role. Keys are the ids of actions."""

from dataclasses import dataclass

from backend.security.policy import Role


@dataclass(frozen=True)
class Button:
    """A button with its key, or one that opens a list of `below`."""

    name: str
    key: str = ""
    below: tuple["Button", ...] = ()


_PROFILE = Button("我的资料", "patient.profile")
_STAFF_HELP = (_PROFILE, Button("使用帮助", "staff.help"), Button("转人工", "help.human"))

PATIENT: tuple[Button, ...] = (
    Button("我要问诊", "patient.start"),
    Button("我的会诊", "patient.mine"),
    Button(
        "更多",
        below=(
            Button("使用帮助", "help.howto"),
            _PROFILE,
            Button("药、设备、账单", "patient.care"),
            Button("隐私与同意", "patient.privacy"),
            Button("转人工", "help.human"),
        ),
    ),
)
"""Everybody's menu, unless a role has its own."""

BY_ROLE: dict[Role, tuple[Button, ...]] = {
    Role.GRASSROOTS_DOCTOR: (
        Button("我的任务", "doctor.tasks"),
        Button("发起会诊", "doctor.new"),
        Button("更多", below=(Button("我的会诊", "doctor.mine"), Button("监测提醒", "doctor.alerts"), *_STAFF_HELP)),
    ),
    Role.EXPERT: (
        Button("会诊邀请", "expert.offers"),
        Button("我的会诊", "expert.mine"),
        Button("更多", below=(Button("我的日程", "expert.schedule"), Button("我的劳务费", "expert.pay"), *_STAFF_HELP)),
    ),
    Role.PHARMACIST: (
        Button("待审处方", "pharmacist.queue"),
        Button("取药单", "pharmacy.queue"),
        Button("更多", below=_STAFF_HELP),
    ),
    Role.ADMINISTRATOR: (
        Button("待处理事项", "administrator.waiting"),
        Button("邀请成员", "administrator.invite"),
        Button("更多", below=(_PROFILE, Button("使用帮助", "staff.help"))),
    ),
}
"""Menus of those who work here, shown by a tag that each of them gets when they join."""

TAGS: dict[Role, str] = {
    Role.GRASSROOTS_DOCTOR: "基层医生",
    Role.EXPERT: "会诊专家",
    Role.PHARMACIST: "审方药师",
    Role.ADMINISTRATOR: "平台管理员",
}
"""Names of WeChat's user tags."""
