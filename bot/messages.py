"""What the bot says: values that know nothing of how, and by which kind of WeChat message, they will arrive."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any


@dataclass(frozen=True)
class Choice:
    """One tappable answer.

    Args:
        id: comes back when it is tapped: `verb:argument` for an action, any other text for the running flow.
        text: what is shown, at most about twelve characters so that an elderly person sees it whole.
    """

    id: str
    text: str


def suggestions(verb: str, texts: Iterable[str]) -> tuple[Choice, ...]:
    """Give `texts` as answers that mean what they say; a flow knows them by `verb:` and takes their words."""
    return tuple(Choice(f"{verb}:{number}", text) for number, text in enumerate(texts))


@dataclass(frozen=True)
class Notice:
    """The short form in which a message reaches somebody whose 48-hour window is closed (a template message).

    Args:
        kind: the template by our own name: `task`, `offer`, `reminder`, `result` or `progress` (`bot/templates.py`).
        fields: values by our own field names; cut to WeChat's limits when the message is made. Identifiers, times and
            statuses only: what a template says is seen on a locked screen.
    """

    kind: str
    fields: dict[str, str]


@dataclass(frozen=True)
class Text:
    """Plain words."""

    text: str
    notice: Notice | None = None


@dataclass(frozen=True)
class Menu:
    """Words with tappable answers below them; a `msgmenu` where the account may send one, numbered lines elsewhere.

    Raises:
        ValueError: two answers have one id, so that a tap would not tell which was meant.
    """

    head: str
    choices: tuple[Choice, ...]
    tail: str = ""
    notice: Notice | None = None

    def __post_init__(self) -> None:
        if len({choice.id for choice in self.choices}) < len(self.choices):
            raise ValueError("two answers of a menu have the same id")

    def as_text(self) -> str:
        """Give the same as plain words, each answer numbered as `bot.dialogue` understands a typed number."""
        lines = [self.head, *(f"{number}. {choice.text}" for number, choice in enumerate(self.choices, 1))]
        return "\n".join([*lines, self.tail or "请回复前面的数字。"])


@dataclass(frozen=True)
class Picture:
    """An image that the file store keeps (`backend.files`), uploaded to WeChat when it is sent."""

    file_id: str
    notice: Notice | None = None


@dataclass(frozen=True)
class Link:
    """A card that opens a page."""

    title: str
    description: str
    url: str
    picture_url: str = ""
    notice: Notice | None = None


@dataclass(frozen=True)
class QrCode:
    """A QR code that brings `scene` to us when it is scanned; WeChat makes it at the moment in which this is sent.

    Args:
        scene: 1 to 64 characters.
        valid_until: ISO 8601, at most 30 days ahead.
    """

    title: str
    description: str
    scene: str
    valid_until: str
    notice: Notice | None = None


Message = Text | Menu | Picture | Link | QrCode

_KINDS: dict[str, type[Any]] = {"text": Text, "menu": Menu, "picture": Picture, "link": Link, "code": QrCode}


def about(name: str, message: Message) -> Message:
    """Give `message` with the name of the relative whom it is about above its words; as it is where there is none."""
    if not name:
        return message
    head = f"（{name}的事）\n"
    match message:
        case Text():
            return replace(message, text=head + message.text)
        case Menu():
            return replace(message, head=head + message.head)
        case Link() | QrCode():
            return replace(message, description=head + message.description)
        case Picture():
            return message


def to_json(message: Message) -> dict[str, Any]:
    """Give `message` as a JSON value, for the outbox."""
    kind = next(name for name, class_ in _KINDS.items() if isinstance(message, class_))
    return {"kind": kind, **asdict(message)}


def from_json(held: dict[str, Any]) -> Message:
    """Give back the message that `to_json` wrote."""
    values = dict(held)
    class_ = _KINDS[values.pop("kind")]
    if values.get("notice"):
        values["notice"] = Notice(**values["notice"])
    if "choices" in values:
        values["choices"] = tuple(Choice(**choice) for choice in values["choices"])
    message: Message = class_(**values)
    return message
