"""What Alembic runs: compares and changes the database behind the connection that `backend.migrations` gives."""

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from alembic.operations.ops import MigrationScript
from sqlalchemy import JSON, Connection
from sqlalchemy.dialects import mysql
from sqlalchemy.sql.schema import Column
from sqlalchemy.types import TypeEngine

from backend.db import Base, EncryptedText, UTCDateTime


def _render(kind: str, item: Any, autogenerate: AutogenContext) -> str | Literal[False]:
    # Migrations name plain types: they must run unchanged when the house's types have long become others.
    if kind != "type":
        return False
    if isinstance(item, UTCDateTime):
        autogenerate.imports.add("from sqlalchemy.dialects import mysql")
        return 'sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql")'
    if isinstance(item, EncryptedText):
        autogenerate.imports.add("from sqlalchemy.dialects import mysql")
        return 'sa.LargeBinary().with_variant(mysql.MEDIUMBLOB(), "mysql")'
    return False


def _types_differ(
    _context: Any,
    _inspected: Column[Any],
    _declared: Column[Any],
    inspected_type: TypeEngine[Any],
    declared_type: TypeEngine[Any],
) -> bool | None:
    # MariaDB keeps JSON in a long text with a check.
    if isinstance(declared_type, JSON) and isinstance(inspected_type, mysql.LONGTEXT):
        return False
    return None


def _drop_empty(_context: Any, _revision: Any, directives: list[MigrationScript]) -> None:
    upgrade = directives[0].upgrade_ops
    if context.config.attributes.get("only_if_changed") and upgrade is not None and upgrade.is_empty():
        directives.clear()


def _run() -> None:
    connection: Connection = context.config.attributes["connection"]
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        render_item=_render,
        compare_type=_types_differ,
        process_revision_directives=_drop_empty,
    )
    with context.begin_transaction():
        context.run_migrations()


_run()
