"""What is printed of a prescription: the documents that were signed, and nothing else. Pure."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from backend.clock import local
from backend.prescription.document import read_moment
from backend.prescription.rules import pickup_number_said
from backend.prescription_page import Page

_NOTICES = (
    "本处方由医师和药师用电子证书签名，这份PDF带有平台的电子签章，改动任何一处都能查出来。",
    "发药前请先扫码：能不能用、用没用过，以扫码看到的为准。药价以取药的药房为准。",
)


def page_of(document: Mapping[str, Any], approval: Mapping[str, Any], address: str, pickup: str) -> Page:
    """Give the page of an approved prescription.

    Args:
        document, approval: as the doctor and the pharmacist signed them. address: of the verification page.
        pickup: the eight digits by which it is called.
    """
    patient, doctor, pharmacist = document["patient"], document["prescriber"], approval["pharmacist"]
    age = f"{patient['age']}　体重{patient['weight']}" if patient["weight"] else patient["age"]
    diagnoses = "；".join(f"{one['name']}（{one['icd10']}）" for one in document["diagnoses"])
    return Page(
        institution=document["institution"],
        number=document["number"],
        category=document["category"],
        facts=(
            (("姓名", patient["name"]), ("性别", patient["sex"]), ("年龄", age)),
            (("科室", document["department"]), ("开具日期", _day(read_moment(document["issued_at"])))),
            (("会诊编号", document["consultation"]),),
            (("临床诊断", diagnoses),),
        ),
        medicines=tuple((f"{line['name']} {line['spec']}", _packs(line), _how(line)) for line in document["lines"]),
        remarks=tuple(dict.fromkeys(one["reason"] for one in document["overrides"])),
        signatures=(
            ("医师", f"{doctor['name']}　{doctor['title']}（电子签名）"),
            ("审核药师", f"{pharmacist['name']}　{pharmacist['title']}（电子签名）"),
            ("调配", ""),
            ("核对、发药", ""),
        ),
        valid_until=_day(read_moment(approval["valid_until"]) - timedelta(seconds=1)),
        notices=_NOTICES,
        address=address,
        pickup=pickup_number_said(pickup),
    )


def _packs(line: Mapping[str, Any]) -> str:
    return f"× {line['packs']}{line['pack_unit']}"


def _how(line: Mapping[str, Any]) -> str:
    amount = f"{line['dose']}（{line['pieces']}）" if line["pieces"] else line["dose"]
    note = f"，{line['note']}" if line["note"] else ""
    return f"{line['route']}，一次{amount}，{line['frequency_name']}，共{line['days']}天{note}"


def _day(at: datetime) -> str:
    there = local(at)
    return f"{there.year}年{there.month}月{there.day}日"
