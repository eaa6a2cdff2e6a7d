"""How long it takes to find something in a large case library, and what is similar to a running case.

python -m benchmarks.case_library [--cases 100000] [--rounds 60] [--url mysql+asyncmy://…] [--json]

Invented cases of the product's own words of medicine; common complaints are as much more common than rare ones as in
life (Zipf). Beside it, on the same texts and for the same words, SQLite's FTS5 with its trigram tokenizer and a plain
scan: they find what is written literally, know no synonyms, and are not encrypted.
"""

import argparse
import asyncio
import json
import random
import sqlite3
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from backend import migrations
from backend.db import Base
from backend.ids import new_id
from backend.security.policy import SYSTEM, Actor, Role
from backend.teaching_cases import CaseState, Content
from backend.teaching_cases.terms import DEPARTMENT, SIGN, TITLE_WEIGHT, code_terms, impact, length_of, words_of
from data.clinical_language import clinical_language
from data.icd10 import Disease, diseases
from qiaoyi.house import House, open_house
from qiaoyi.settings import load

TARGET_MS = 300.0
_BATCH = 1000
_BEGAN = datetime(2023, 1, 1, tzinfo=UTC)
_PLACE, _DOCTOR = "T" * 32, "D" * 32
_RUNNING = 8


@dataclass(frozen=True)
class Invented:
    """An invented case, and the words in which it is told."""

    disease: Disease
    signs: tuple[str, ...]
    title: str
    text: str
    terms: Counter[str]


class Inventor:
    """Makes cases of the words that the product knows; the same ones each time."""

    def __init__(self) -> None:
        language, self._dice = clinical_language(), random.Random(11)
        self._diseases = diseases()
        self._symptoms = [one.name for one in language.symptoms]
        self._others = [one.name for one in (*language.findings, *language.examinations, *language.drugs)]
        self._common = [1 / (rank + 1) for rank in range(len(self._symptoms))]
        self._words: dict[str, Counter[str]] = {}

    def case(self) -> Invented:
        """Give the next case."""
        disease = self._dice.choice(self._diseases)
        signs = tuple(dict.fromkeys(self._dice.choices(self._symptoms, self._common, k=6)))
        told = [f"{sign}{self._dice.randint(1, 9)}天" for sign in signs]
        told += [f"{word}" for word in self._dice.sample(self._others, 6)]
        told += [f"诊断{disease.name}", "精神一般，食欲差，二便如常"]
        title = f"{disease.name}一例"
        terms = sum((self._counted(one) for one in told), Counter[str]())
        for word, count in self._counted(title).items():
            terms[word] += count * TITLE_WEIGHT
        terms.update(code_terms([disease.code]))
        terms.update([f"{SIGN}{sign}" for sign in signs])
        terms[f"{DEPARTMENT}{disease.department}"] += 1
        return Invented(disease, signs, title, "，".join(told), terms)

    def _counted(self, sentence: str) -> Counter[str]:
        if sentence not in self._words:
            self._words[sentence] = Counter(words_of(sentence))
        return self._words[sentence]

    def question(self, words: int) -> str:
        """Give some words that somebody might look for."""
        return " ".join(self._dice.choices(self._symptoms, self._common, k=words))


def _rows(case: Invented, number: int, patient_id: str) -> Iterator[tuple[str, dict[str, Any]]]:
    case_id, consultation_id, at = new_id(), new_id(), _BEGAN + timedelta(minutes=number * 5)
    yield (
        "consultations",
        {
            "id": consultation_id, "number": f"HZ{at:%Y%m%d}-{number:07}", "status": "completed", "urgency": "routine",
            "department_code": case.disease.department, "patient_id": patient_id, "speaker_id": patient_id,
            "institution_id": _PLACE, "doctor_id": _DOCTOR, "opened_at": at, "closed_at": at,
        },
    )  # fmt: skip
    length = length_of(case.terms)
    content = Content(case.title, {"present_illness": case.text}, (case.disease.code,), (), case.signs)
    yield (
        "teaching_cases",
        {
            "id": case_id, "consultation_id": consultation_id, "patient_id": patient_id, "state": CaseState.PUBLISHED,
            "department_code": case.disease.department, "proposed_by": _DOCTOR, "proposed_reason": "",
            "proposed_at": at, "published_at": at, "content": content.to_json(), "removed": [],
            "length": length,
        },
    )  # fmt: skip
    for term, count in case.terms.items():
        held = {"count": count, "impact": impact(term, count, length)}
        yield "teaching_terms", {"term": term, "case_id": case_id, **held}


async def fill(house: House, peer: sqlite3.Connection, cases: int, patient_id: str) -> int:
    """Put invented cases on the shelf, and their texts into the peer; give how many terms they have."""
    inventor, terms = Inventor(), 0
    for first in range(0, cases, _BATCH):
        rows: dict[str, list[dict[str, Any]]] = {}
        made = [(number, inventor.case()) for number in range(first, min(first + _BATCH, cases))]
        for number, case in made:
            for table, row in _rows(case, number, patient_id):
                rows.setdefault(table, []).append(row)
        async with house.database.transaction() as session:
            for name, values in rows.items():
                await session.execute(insert(Base.metadata.tables[name]), values)
        terms += len(rows["teaching_terms"])
        told = [(number, f"{case.title}。{case.text}") for number, case in made]
        peer.executemany("INSERT INTO told(rowid, said) VALUES (?, ?)", told)
        peer.executemany("INSERT INTO plain VALUES (?, ?)", told)
        peer.commit()
    return terms


async def people(house: House) -> tuple[Actor, str, list[str]]:
    """Make a doctor, and patients with running cases; give the doctor, a patient, and the cases."""
    await house.people.put_institution(
        SYSTEM, _PLACE, code="T", name="T", kind="township", region="-", address="-", latitude=30, longitude=114
    )
    await house.people.put_practitioner(
        SYSTEM, _DOCTOR, role=Role.GRASSROOTS_DOCTOR, name="李梅", licence_number="D", institution_id=_PLACE,
        department_code="general_practice", title="主治医师", practising_since=2005,
    )  # fmt: skip
    person_id = await house.people.register("李梅")
    await house.people.accept_invitation(person_id, (await house.people.create_invitation(SYSTEM, _DOCTOR)).scene)
    doctor, inventor, running, patient_id = await house.people.actor(person_id), Inventor(), [], ""
    for number in range(_RUNNING):
        case, patient_id = inventor.case(), await house.people.register(f"病人{number}")
        patient = await house.people.actor(patient_id)
        await house.people.give_consent(patient, house.people.consent_document().version)
        facts = {"symptoms": [{"name": sign, "text": sign, "status": "positive"} for sign in case.signs]}
        view = await house.consultations.open(
            patient, patient_id=patient_id, institution_id=_PLACE, record={"present_illness": case.text}, facts=facts,
            department_code="respiratory", urgency="routine",
        )  # fmt: skip
        await house.consultations.submit(doctor, view.id, icd10=case.disease.code, question="怎么治？")
        running.append(view.id)
    return doctor, patient_id, running


async def _timed(rounds: int, ask: Callable[[int], Awaitable[Sequence[Any]]]) -> dict[str, float]:
    """Give p50 and p95 of asking so often in milliseconds, the median of this process's own time, and how often
    something was found."""
    taken, worked, found = [], [], 0
    for number in range(-3, rounds):  # three to warm up
        began, begun = time.perf_counter(), time.process_time()
        answer = await ask(number)
        if number >= 0:
            taken.append((time.perf_counter() - began) * 1000)
            worked.append((time.process_time() - begun) * 1000)
            found += bool(answer)
    steps = statistics.quantiles(taken, n=20)
    return {
        "p50_ms": round(steps[9], 1),
        "p95_ms": round(steps[18], 1),
        "cpu_ms": round(statistics.median(worked), 1),
        "found": round(found / rounds, 2),
    }


async def measure(house: House, doctor: Actor, running: Sequence[str], rounds: int) -> dict[str, dict[str, float]]:
    """Ask the library in every way."""
    library, codes = house.teaching_cases, diseases()
    asked = [[_question(number, words) for number in range(rounds)] for words in (1, 3)]
    return {
        "one_word": await _timed(rounds, lambda number: library.search(doctor, asked[0][number])),
        "three_words": await _timed(rounds, lambda number: library.search(doctor, asked[1][number])),
        "code": await _timed(rounds, lambda number: library.search(doctor, icd10=codes[number].code)),
        "three_words_in_a_chapter": await _timed(
            rounds, lambda number: library.search(doctor, asked[1][number], icd10="J00-J99")
        ),
        "latest": await _timed(rounds, lambda _: library.search(doctor)),
        "similar": await _timed(rounds, lambda number: library.similar(doctor, running[number % len(running)])),
    }


def _question(number: int, words: int) -> str:
    inventor = Inventor()
    for _ in range(number % 97):
        inventor.question(words)
    return inventor.question(words)


async def measure_peer(peer: sqlite3.Connection, rounds: int) -> dict[str, dict[str, float]]:
    """Ask SQLite the same words: FTS5 where they are three characters or longer, and a scan for any."""

    async def fts(number: int) -> list[Any]:
        words = [word for word in _question(number, 3).split() if len(word) > 2] or ["呼吸困难"]
        match = " OR ".join(f'"{word}"' for word in words)
        query = "SELECT rowid FROM told WHERE told MATCH ? ORDER BY bm25(told) LIMIT 10"
        return peer.execute(query, (match,)).fetchall()

    async def scan(number: int) -> list[Any]:
        words = _question(number, 3).split()
        where = " + ".join("(said LIKE ?)" for _ in words)
        query = f"SELECT number, {where} AS score FROM plain WHERE score > 0 ORDER BY score DESC LIMIT 10"  # noqa: S608
        return peer.execute(query, [f"%{word}%" for word in words]).fetchall()

    return {"fts5_trigram_three_words": await _timed(rounds, fts), "scan_three_words": await _timed(rounds, scan)}


async def run(cases: int, rounds: int, url: str) -> dict[str, Any]:
    """Fill a library and measure."""
    with tempfile.TemporaryDirectory() as folder:
        settings = load(data=Path(folder), database=url or None)
        await migrations.upgrade(settings.database)
        peer = sqlite3.connect(Path(folder) / "peer.db")
        peer.execute("CREATE VIRTUAL TABLE told USING fts5(said, tokenize='trigram')")
        peer.execute("CREATE TABLE plain (number INTEGER PRIMARY KEY, said TEXT)")
        async with open_house(settings) as house:
            doctor, patient_id, running = await people(house)
            began = time.perf_counter()
            terms = await fill(house, peer, cases, patient_id)
            filled = time.perf_counter() - began
            figures = await measure(house, doctor, running, rounds) | await measure_peer(peer, rounds)
        peer.close()
    return {"cases": cases, "terms": terms, "fill_s": round(filled, 1), "target_p95_ms": TARGET_MS, **figures}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--url", default="")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    result = asyncio.run(run(options.cases, options.rounds, options.url))
    print(json.dumps(result) if options.json else "\n".join(f"{name:26} {value}" for name, value in result.items()))


if __name__ == "__main__":
    main()
