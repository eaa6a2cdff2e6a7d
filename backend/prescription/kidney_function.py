"""How well kidneys filter, reckoned from a creatinine. Pure."""

from decimal import Decimal

_UMOL_PER_MG_DL = 88.42


def ckd_epi_2021(creatinine: Decimal, age: Decimal, female: bool) -> Decimal:
    """The filtration rate in ml/min/1.73 m² after CKD-EPI 2021 (Inker et al., N Engl J Med 2021; 385: 1737).

    Args:
        creatinine: serum, µmol/L; age: years, 18 or more.
    """
    kappa, alpha = (0.7, -0.241) if female else (0.9, -0.302)
    ratio = float(creatinine) / _UMOL_PER_MG_DL / kappa
    rate = 142 * min(ratio, 1.0) ** alpha * max(ratio, 1.0) ** -1.2 * 0.9938 ** float(age)
    return _rounded(rate * (1.012 if female else 1))


def cockcroft_gault(creatinine: Decimal, age: Decimal, female: bool, weight: Decimal) -> Decimal:
    """The creatinine clearance in ml/min after Cockcroft and Gault (Nephron 1976; 16: 31); weight in kg."""
    rate = (140 - min(float(age), 139)) * float(weight) / (72 * float(creatinine) / _UMOL_PER_MG_DL)
    return _rounded(rate * (0.85 if female else 1))


def rates(creatinine: Decimal, age: Decimal, sex: str, weight: Decimal | None) -> list[Decimal]:
    """What the formulae give that can be used; of somebody whose sex is not known both."""
    sexes = {"female": (True,), "male": (False,)}.get(sex, (True, False))
    found = [ckd_epi_2021(creatinine, age, female) for female in sexes]
    if weight is not None:
        found += [cockcroft_gault(creatinine, age, female, weight) for female in sexes]
    return found


def _rounded(rate: float) -> Decimal:
    return Decimal(str(round(rate, 1)))
