"""Tables that only ever grow: triggers of the database refuse to change or delete what they hold."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import Connection, MetaData, Table, event

from backend.db import Base

_INFO = "append_only_but"


def append_only(but: Collection[str] = ()) -> dict[str, Any]:
    """Give the table argument that marks a table as one that only grows.

    Args:
        but: columns that may be changed all the same.
    """
    return {"info": {_INFO: tuple(sorted(but))}}


def only_grows(table: Table) -> bool:
    """Tell whether a table is marked as one that only grows."""
    return _INFO in table.info


def protect(connection: Connection) -> None:
    """Make the database refuse to change or delete rows of the marked tables; harmless where it does already."""
    statements = _sqlite_triggers if connection.dialect.name == "sqlite" else _mysql_triggers
    for table in Base.metadata.tables.values():
        if only_grows(table):
            columns = [column.name for column in table.columns if column.name not in table.info[_INFO]]
            for statement in statements(table.name, columns):
                connection.exec_driver_sql(statement)


def _sqlite_triggers(table: str, columns: list[str]) -> list[str]:
    changed = " OR ".join(f"OLD.{column} IS NOT NEW.{column}" for column in columns)
    refuse = "BEGIN SELECT RAISE(ABORT, 'append-only'); END"
    return [
        f"CREATE TRIGGER IF NOT EXISTS {table}_no_update BEFORE UPDATE ON {table} WHEN {changed} {refuse}",
        f"CREATE TRIGGER IF NOT EXISTS {table}_no_delete BEFORE DELETE ON {table} {refuse}",
    ]


def _mysql_triggers(table: str, columns: list[str]) -> list[str]:
    changed = " OR ".join(f"NOT (OLD.{column} <=> NEW.{column})" for column in columns)
    refuse = "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'append-only'"
    guarded = f"BEGIN IF {changed} THEN {refuse}; END IF; END"
    return [
        f"CREATE TRIGGER IF NOT EXISTS {table}_no_update BEFORE UPDATE ON {table} FOR EACH ROW {guarded}",
        f"CREATE TRIGGER IF NOT EXISTS {table}_no_delete BEFORE DELETE ON {table} FOR EACH ROW {refuse}",
    ]


@event.listens_for(Base.metadata, "after_create")
def _after_create(_metadata: MetaData, connection: Connection, **_options: Any) -> None:
    protect(connection)
