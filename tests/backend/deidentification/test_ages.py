"""Ages in bands."""

import pytest

from backend.deidentification import age_band


@pytest.mark.parametrize(("years", "band"), [
    (1, "1–2岁"), (4, "3–5岁"), (9, "6–9岁"), (10, "10–14岁"), (19, "15–19岁"),
    (20, "20–24岁"), (24, "20–24岁"), (25, "25–29岁"), (89, "85–89岁"), (90, "90岁以上"), (104, "90岁以上"),
])  # fmt: skip
def test_years_lie_in_bands(years: int, band: str) -> None:
    assert age_band(years) == band


def test_the_first_year_is_told_in_three_parts() -> None:
    assert age_band(0, months=0, days=27) == "新生儿"
    assert age_band(0, months=0, days=28) == "不满6个月"
    assert age_band(0, months=6, days=190) == "6–11个月"
    assert age_band(0) == "不满1岁"
