"""What stands in the place of what names somebody: the same for the same, and nobody's.

Everything hangs from a key that lives as long as the copy is made, so that nothing leads back, not for us either.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Container
from datetime import date, timedelta
from itertools import count, product

from backend.people.rules import identity_check_character

_STEMS, _BRANCHES = "甲乙丙丁戊己庚辛壬癸", "子丑寅卯辰巳午未申酉戌亥"
_SURNAMES = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜戚谢邹喻柏水窦章"
# No province has 99 (GB/T 2260), and no operator gives out 154: nobody has such numbers.
_NO_REGION = "99"
_NO_OPERATOR = "154"
_MOST_WEEKS = 52
_ID = re.compile(r"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])")
_DIGIT = re.compile(r"\d")
_IMPOSSIBLE = "9"


class Invented:
    """Gives what is invented.

    Args:
        taken: what names somebody in the source; nothing of it is invented again.
    """

    def __init__(self, taken: Container[str]) -> None:
        self._key = secrets.token_bytes(32)
        self._taken = taken
        self._given: dict[tuple[str, str], str] = {}
        self._used: set[tuple[str, str]] = set()

    def id(self, value: str) -> str:
        """Give the identifier that stands for one."""
        return self._digest("id", value)[:32]

    def ids(self, text: str) -> str:
        """Give `text` with every identifier in it replaced."""
        return _ID.sub(lambda found: self.id(found.group()), text)

    def shift(self, person_id: str) -> timedelta:
        """Give by how much everything of a person is moved into the past: whole weeks, so that weekdays stay."""
        return timedelta(weeks=1 + self._number("shift", person_id, _MOST_WEEKS))

    def name(self, value: str) -> str:
        """Give a name that nobody of the source has; the same for people of the same name."""

        def make(number: int) -> str:
            surname = _SURNAMES[number % len(_SURNAMES)]
            return surname + _PAIRS[number // len(_SURNAMES) % len(_PAIRS)]

        return self._once("name", value, make, shared=True) if value.strip() else value

    def phone(self, value: str) -> str:
        """Give a mobile number."""
        return self._once("phone", value, lambda number: f"{_NO_OPERATOR}{number % 10**8:08d}") if value else value

    def identity(self, value: str, born: date | None, is_male: bool) -> str:
        """Give an identity number with the birth date and the sex that are told, of a region that there is not."""

        def make(number: int) -> str:
            day = born or date(1900, 1, 1)
            order = number // 10**4 % 500 * 2 + is_male
            first = f"{_NO_REGION}{number % 10**4:04d}{day:%Y%m%d}{order:03d}"
            return first + identity_check_character(first)

        return self._once("identity", value, make) if value else value

    def address(self, value: str) -> str:
        """Give an address that leads nowhere."""
        return f"甲子镇乙丑村{self._number('address', value, 90) + 10}号" if value else value

    def contact(self, value: str) -> str:
        """Give what a channel could know somebody by."""
        return f"masked-{self._digest('contact', value)[:20]}" if value else value

    def number(self, value: str) -> str:
        """Give a number of the same shape, which no day can have: its first digit is a nine."""

        def make(number: int) -> str:
            digits = iter(_IMPOSSIBLE + str(number).zfill(80)[::-1])
            return _DIGIT.sub(lambda _found: next(digits), self.ids(value))

        return self._once("number", value, make) if value else value

    def _once(self, kind: str, value: str, make: Callable[[int], str], *, shared: bool = False) -> str:
        """Give the first that is nobody's of the source, nor, unless it may be `shared`, given for something else."""
        known = self._given.get((kind, value))
        if known is not None:
            return known
        for attempt in count():
            made = make(int(self._digest(kind, f"{attempt}\0{value}"), 16))
            if made not in self._taken and (shared or (kind, made) not in self._used):
                break
        self._given[kind, value] = made
        self._used.add((kind, made))
        return made

    def _number(self, kind: str, value: str, below: int) -> int:
        return int(self._digest(kind, value), 16) % below

    def _digest(self, kind: str, value: str) -> str:
        return hmac.new(self._key, f"{kind}\0{value}".encode(), hashlib.sha256).hexdigest()


_PAIRS = [
    stem + branch
    for (place, stem), (other, branch) in product(enumerate(_STEMS), enumerate(_BRANCHES))
    if place % 2 == other % 2
]
"""The sixty pairs of the calendar, of which none is anybody's given name."""
