"""Keeps how good answers of models were judged to be."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from memory.tables import Instant

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "qualities",
        sa.Column("n", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("task", sa.String(), nullable=False),
        sa.Column("provider", sa.String(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("quality", sa.Float(53), nullable=False),
        sa.Column("weight", sa.Float(53), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("n", name="pk_qualities"),
    )
    op.create_index("ix_qualities_at", "qualities", ["at"], unique=False)
