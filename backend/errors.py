"""Errors that a use case may end with: a stable code for programs, a Chinese sentence for people."""


class DomainError(Exception):
    """Base of everything that a service refuses on purpose.

    Args:
        sentence: what may be shown to the person; each class has a default.
        details: facts for programs (identifiers, limits), never personal or clinical text.
    """

    code = "refused"
    sentence = "这一步现在做不了，请稍后再试。"

    def __init__(self, sentence: str | None = None, **details: object) -> None:
        super().__init__(self.code)
        self.sentence = sentence or type(self).sentence
        self.details = details


class NotFound(DomainError):
    """What was asked for is not there, or the actor may not even know that it is."""

    code = "not_found"
    sentence = "没有找到您要的内容。"


class Forbidden(DomainError):
    """The policy does not let this actor do this."""

    code = "forbidden"
    sentence = "您没有权限做这一步。"


class InvalidInput(DomainError):
    """A value that breaks a rule of the field it is for."""

    code = "invalid_input"
    sentence = "填写的内容不对，请检查后再发一次。"


class IllegalMove(DomainError):
    """A state machine refuses the step from where it stands."""

    code = "illegal_move"
    sentence = "当前状态下不能做这一步。"


class Conflict(DomainError):
    """Somebody else was first, or the thing changed meanwhile."""

    code = "conflict"
    sentence = "刚刚有人先操作了，请刷新后再看。"


class ConsentRequired(DomainError):
    """The person has not agreed to the present version of what this needs."""

    code = "consent_required"
    sentence = "需要您先同意《隐私与知情同意书》，才能继续。"
