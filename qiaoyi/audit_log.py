"""`qiaoyi audit`: verifies the audit log, proves what is in it, and checks such proofs."""

import argparse
import asyncio
import sys

from backend.errors import DomainError
from backend.security.audit_heads import HeadDamaged, TreeHead
from backend.security.audit_proofs import ProofRefused, Prover, check_proof
from backend.security.audit_verification import AuditReport, Fault, Finding
from qiaoyi.house import House, open_house
from qiaoyi.settings import Settings

_WORDS = {
    Fault.CHANGED: "entry {entry} (place {place}) was changed",
    Fault.FOREIGN: "entry {entry} was not written by the program",
    Fault.COPIED: "entry {entry} is a copy of another",
    Fault.REMOVED: "entry {entry} (place {place}) was removed",
    Fault.MOVED: "entry {entry} was put into place {place} by somebody else",
    Fault.GAP: "place {place} was removed together with its entry",
    Fault.BLOCK: "the root kept over the places from {place} on was changed",
    Fault.HEAD: "the first {place} entries are not those of the head {name}",
    Fault.CUT: "the log ends at place {place}, before the head {name} does: its newest entries were removed",
    Fault.HEAD_FILE: "the file {name} holds no head that we signed",
}


async def audit(settings: Settings, options: argparse.Namespace) -> int:
    """Do what the action says; 1 where something does not fit."""
    if options.action == "check-proof":
        return await asyncio.to_thread(_check, options)
    async with open_house(settings) as house:
        if options.action == "verify":
            return _tell(await house.audit.verify())
        if options.action == "key":
            print(house.audit_heads.public_key)
            return 0
        return await _prove(house, options)


def _tell(report: AuditReport) -> int:
    for finding in report.findings:
        print(words(finding))
    if not report.ok:
        print(f"the log was changed: findings {len(report.findings)}")
        return 1
    print(f"{report.entries} entries, all as they were written; {report.heads} kept heads fit")
    if report.unsealed:
        print(f"{report.unsealed} more have no place yet; a serving process gives it to them")
    return 0


def words(finding: Finding) -> str:
    """Say a finding in one line."""
    return _WORDS[finding.fault].format(entry=finding.entry_id, place=finding.position, name=finding.name)


async def _prove(house: House, options: argparse.Namespace) -> int:
    await house.audit.seal()  # so that an entry of this moment has its place
    prover = Prover(house.database, house.clock, house.audit_heads)
    try:
        if options.action == "proof":
            print(await prover.inclusion(options.entry))
        else:
            print(await prover.growth(TreeHead.read(await asyncio.to_thread(options.head.read_text, "utf-8"))))
    except DomainError as refusal:
        print(refusal.sentence, file=sys.stderr)
        return 1
    except (HeadDamaged, OSError, UnicodeDecodeError) as error:
        print(f"this is no head: {error}", file=sys.stderr)
        return 1
    return 0


def _check(options: argparse.Namespace) -> int:
    try:
        proven = check_proof(options.proof.read_text("utf-8"), options.key)
    except (ProofRefused, OSError, UnicodeDecodeError) as error:
        print(f"NOT proved: {error}", file=sys.stderr)
        return 1
    if proven.entry is not None:
        one = proven.entry
        print(
            f"proved: entry {one.id} was in the log of {proven.head.size} entries that was signed at {proven.head.at}Z"
        )
        print(f"  {one.at}Z {one.actor_roles or 'platform'} {one.actor_id} {one.action}")
        print(f"  patient {one.patient_id or '-'} {one.subject} {one.reason}".rstrip())
    elif proven.old is not None:
        print(f"proved: the log of {proven.head.size} entries begins with that of {proven.old.size} ({proven.old.at}Z)")
    return 0
