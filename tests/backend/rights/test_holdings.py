"""Every table is known to the erasure: whose its rows are and when they go, or why it walks past them."""

from backend.db import Base
from backend.migrations import import_tables
from backend.rights.holdings import HOLDINGS, OTHERWISE, Class, rows_of, tables_of


def test_no_table_is_forgotten_and_none_is_named_twice() -> None:
    import_tables()
    assert set(Base.metadata.tables) == set(HOLDINGS) | set(OTHERWISE)
    assert not set(HOLDINGS) & set(OTHERWISE)


def test_whoever_leads_to_a_person_is_walked() -> None:
    """A table that is walked past holds no column that names a patient."""
    import_tables()
    for name in OTHERWISE:
        columns = set(Base.metadata.tables[name].c.keys())
        assert not columns & {"patient_id", "owner_id"} or name in ("files", "audit_entries"), name


def test_what_hangs_from_other_rows_goes_before_them() -> None:
    import_tables()
    order = [
        table.name for kind in (Class.OWN, Class.RECORD, Class.MONEY, Class.EVIDENCE) for table, _ in tables_of(kind)
    ]
    for position, name in enumerate(order):
        above = HOLDINGS[name].of
        assert not above or above in order[position:], name
        for key in Base.metadata.tables[name].foreign_keys:
            parent = key.column.table.name
            assert parent not in HOLDINGS or parent in order[position:], (name, parent)
        assert rows_of(name, "somebody") is not None
