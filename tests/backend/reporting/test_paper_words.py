"""What a report says on paper."""

from datetime import date

import pytest

from backend.people.rules import age_said as age


@pytest.mark.parametrize(
    ("born", "said"),
    [
        (date(1968, 11, 21), "58岁"),
        (date(1968, 11, 22), "57岁"),
        (date(2024, 11, 21), "2岁"),
        (date(2024, 11, 22), "23个月"),
        (date(2026, 10, 30), "22天"),
        (date(2026, 11, 21), "0天"),
        (date(2027, 1, 1), "未说明"),
        (None, "未说明"),
    ],
)
def test_an_age_is_said_as_reports_say_it(born: date | None, said: str) -> None:
    assert age(born, date(2026, 11, 21)) == said
