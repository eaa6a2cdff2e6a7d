"""UCUM codes as doctors in China write them. Pure."""

import re

_SHOWN = {
    "mm[Hg]": "mmHg",
    "Cel": "℃",
    "/min": "次/分",
    "{beats}/min": "次/分",
    "1": "",
    "10*9/L": "×10⁹/L",
    "10*12/L": "×10¹²/L",
    "m[IU]/L": "mIU/L",
    "[IU]/L": "IU/L",
    "u[IU]/mL": "μIU/mL",
}
_ANNOTATION = re.compile(r"\{[^}]*\}")
_MICRO = re.compile(r"^u(?=[a-zA-Z])")


def shown_unit(code: str) -> str:
    """Give a unit as people read it: "umol/L" as "μmol/L"; what is not known stays as it is."""
    if code in _SHOWN:
        return _SHOWN[code]
    plain = _ANNOTATION.sub("", code)
    return _MICRO.sub("μ", plain)
