"""Every table and every column is known to the masked copy: what becomes of it, or why it is not there."""

from datetime import date

import pytest

from backend.db import Base, EncryptedBytes
from backend.deidentification import Directory
from backend.masking.invented import Invented
from backend.masking.rules import LEFT_OUT, MASKED, How, how
from backend.migrations import import_tables
from backend.people.rules import valid_identity_number, valid_mobile
from backend.rights.holdings import HOLDINGS

ID = "0192f7c4a3b1" + "7" + "abc" + "8" * 16


@pytest.fixture(autouse=True)
def tables() -> None:
    import_tables()


def test_no_table_is_forgotten_and_none_is_named_twice() -> None:
    assert set(Base.metadata.tables) == set(MASKED) | set(LEFT_OUT)
    assert not set(MASKED) & set(LEFT_OUT)


def test_of_every_column_it_is_known_what_becomes_of_it() -> None:
    for name, said in MASKED.items():
        columns = Base.metadata.tables[name].columns
        assert [column.name for column in columns if how(column) is None] == [], name
        assert not [one for one in said if one not in columns and name not in _LIKE_ONE_ANOTHER], name
        assert not any(isinstance(column.type, EncryptedBytes) for column in columns), name


_LIKE_ONE_ANOTHER = {"observations", "allergies", "conditions", "current_medicines", "record_answers"}


def test_nothing_in_the_copy_refers_to_what_is_left_out() -> None:
    for name in MASKED:
        for key in Base.metadata.tables[name].foreign_keys:
            is_emptied = key.parent.nullable and how(key.parent) is How.EMPTY
            assert key.column.table.name in MASKED or is_emptied, f"{name}.{key.parent.name}"


def test_what_is_of_a_person_is_found_by_their_id_or_by_their_consultation() -> None:
    """So all of it is moved by the same number of weeks."""
    for name in MASKED:
        assert name not in HOLDINGS or HOLDINGS[name].of in ("", "consultations"), name


def test_what_is_invented_is_valid_always_the_same_and_nobodys() -> None:
    taken = {"王甲子"}
    invented = Invented(taken)
    today = date(2026, 11, 22)
    numbers = {
        invented.identity(f"42010119700101{order:04d}", date(1969, 3, 4), order % 2 == 1) for order in range(300)
    }
    assert len(numbers) == 300
    for number in numbers:
        read = valid_identity_number(number, today)
        assert (read.birth_date, number[:2]) == (date(1969, 3, 4), "99")
    assert len({valid_mobile(invented.phone(str(number))) for number in range(300)}) == 300
    assert invented.name("欧阳念慈") == invented.name("欧阳念慈")
    assert all(len(invented.name(f"名{number}")) == 3 for number in range(50))
    assert "王甲子" not in {invented.name(f"名{number}") for number in range(5000)}
    assert invented.ids(f"device:{ID}:spo2") == f"device:{invented.id(ID)}:spo2" != f"device:{ID}:spo2"
    given = invented.number("HZ20261122-0007")
    assert (len(given), given[:3], given[10]) == (15, "HZ9", "-")
    assert Invented(taken).id(ID) != invented.id(ID)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("昨天欧阳念慈来过", "欧阳念慈"),
        ("欧 阳 念·慈", "欧 阳 念·慈"),
        ("电话１３９-1234-5678", "１３９-1234-5678"),
        ("tel13912345678ok", "13912345678"),
        ("身份证42010119700101002x", "42010119700101002x"),
        ("住石桥村三组", "石桥村三组"),
        ("得了帕金森病", ""),
        ("李", ""),
    ],
)
def test_whatever_names_anybody_is_found_however_it_is_written(text: str, found: str) -> None:
    numbers = ("13912345678", "42010119700101002X")
    directory = Directory(("欧阳念慈", "帕金森病", "李"), numbers, ("石桥村三组",))
    spans = list(directory.find(text))
    assert [text[one.start : one.end] for one in spans] == ([found] if found else [])
    assert (text in directory) is bool(found)
