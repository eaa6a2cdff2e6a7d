"""An invented province: a pattern for writing down a real one's dialect."""

from dataclasses import replace

from backend.insurance.dialects.national import NATIONAL


def _city(institution: str) -> str:
    """Here whole cities are regions: the last two digits are nought."""
    return f"{institution[1:5]}00"


EXAMPLE = replace(
    NATIONAL,
    name="example",
    version="V1.1",
    path="/hsa/callService",
    medical_types={**NATIONAL.medical_types, "remote_consultation": "110901"},
    sentences={**NATIONAL.sentences, "-1": "医保系统没有办成，请过一会儿再试。"},
    region_of=_city,
    renamed={"ipt_otp_no": "otp_no", "acct_mulaid_pay": "family_acct_pay"},
)
