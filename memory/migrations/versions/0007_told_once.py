"""Names judgements of models, so that each is kept once."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.add_column("qualities", sa.Column("id", sa.String(), nullable=True))
    op.create_index("ix_qualities_id", "qualities", ["id"], unique=True)
