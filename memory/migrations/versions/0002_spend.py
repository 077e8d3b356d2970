"""What each scope was charged in each month, from the calls so far, and what is held for calls under way."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from memory.tables import Instant

revision = "0002"
down_revision = "0001"

_SCOPES = ("'all'", "'provider:' || provider", "'task:' || task", "'key:' || key")
_MONTHS = {
    "sqlite": "strftime('%Y-%m', at / 1000000, 'unixepoch')",
    "postgresql": "to_char(to_timestamp(at / 1000000) AT TIME ZONE 'UTC', 'YYYY-MM')",
}


def upgrade() -> None:
    op.create_table(
        "spend",
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("charged_nano", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("scope", "month", name="pk_spend"),
    )
    op.create_table(
        "holds",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("provider", sa.String(), nullable=False),
        sa.Column("task", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=True),
        sa.Column("held_nano", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_holds"),
    )
    op.create_index("ix_holds_at", "holds", ["at"], unique=False)
    month = _MONTHS[op.get_bind().dialect.name]
    for scope in _SCOPES:
        op.execute(
            f"INSERT INTO spend (scope, month, charged_nano) SELECT {scope}, {month}, SUM(charged_nano) FROM calls "  # noqa: S608 — constants
            f"WHERE {scope} IS NOT NULL GROUP BY 1, 2"
        )
