"""The menus under the chat: what patients, doctors and experts find there. Keys are the ids of actions."""

from dataclasses import dataclass

from backend.security.policy import Role


@dataclass(frozen=True)
class Button:
    """A button with its key, or one that opens a list of `below`."""

    name: str
    key: str = ""
    below: tuple["Button", ...] = ()


_HELP = (Button("使用帮助", "help.howto"), Button("转人工", "help.person"))

PATIENT: tuple[Button, ...] = (
    Button("我要问诊", "patient.start"),
    Button("我的会诊", "patient.mine"),
    Button(
        "更多",
        below=(
            Button("使用帮助", "help.howto"),
            Button("隐私与同意", "patient.consent"),
            Button("转人工", "help.person"),
            Button("我的资料", "patient.profile"),
        ),
    ),
)
"""Everybody's menu, unless a role has its own."""

BY_ROLE: dict[Role, tuple[Button, ...]] = {
    Role.GRASSROOTS_DOCTOR: (
        Button("我的任务", "doctor.tasks"),
        Button("发起会诊", "doctor.new"),
        Button("更多", below=(Button("我的会诊", "doctor.mine"), *_HELP)),
    ),
    Role.EXPERT: (
        Button("会诊邀请", "expert.offers"),
        Button("我的会诊", "expert.mine"),
        Button("更多", below=(Button("我的日程", "expert.schedule"), *_HELP)),
    ),
}
"""Menus of those who practise, shown by a tag that each of them gets when they join."""

TAGS: dict[Role, str] = {Role.GRASSROOTS_DOCTOR: "基层医生", Role.EXPERT: "会诊专家"}
"""Names of WeChat's user tags."""
