"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from memory.tables import Instant

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("fact", sa.Text(), nullable=False),
        sa.Column("previous", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_audit"),
    )
    op.create_index("ix_audit_subject", "audit", ["subject"], unique=False)
    op.create_table(
        "calls",
        sa.Column("n", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("provider", sa.String(), nullable=False),
        sa.Column("task", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=True),
        sa.Column("charged_nano", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("n", name="pk_calls"),
        sa.UniqueConstraint("id", name="uq_calls_id"),
    )
    op.create_index("ix_calls_at_charged_nano", "calls", ["at", "charged_nano"], unique=False)
    op.create_index("ix_calls_key_at_charged_nano", "calls", ["key", "at", "charged_nano"], unique=False)
    op.create_index("ix_calls_provider_at_charged_nano", "calls", ["provider", "at", "charged_nano"], unique=False)
    op.create_index("ix_calls_task_at_charged_nano", "calls", ["task", "at", "charged_nano"], unique=False)
    op.create_table(
        "effects",
        sa.Column("n", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("idempotency_key", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("n", name="pk_effects"),
        sa.UniqueConstraint("idempotency_key", name="uq_effects_idempotency_key"),
    )
    op.create_index("ix_effects_action", "effects", ["action"], unique=False)
    op.create_index("ix_effects_status", "effects", ["status"], unique=False)
    op.create_table(
        "entities",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_entities"),
    )
    op.create_table(
        "findings",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_findings"),
    )
    op.create_table(
        "flags",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_flags"),
    )
    op.create_table(
        "keys",
        sa.Column("n", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("scopes", sa.String(), nullable=False),
        sa.Column("secret_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("revoked_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("n", name="pk_keys"),
        sa.UniqueConstraint("id", name="uq_keys_id"),
        sa.UniqueConstraint("secret_hash", name="uq_keys_secret_hash"),
    )
    op.create_table(
        "lessons",
        sa.Column("n", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("about", sa.String(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("n", name="pk_lessons"),
        sa.UniqueConstraint("id", name="uq_lessons_id"),
    )
    op.create_index("ix_lessons_about", "lessons", ["about"], unique=False)
    op.create_table(
        "outcomes",
        sa.Column("n", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("proposal", sa.String(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("n", name="pk_outcomes"),
        sa.UniqueConstraint("action", name="uq_outcomes_action"),
        sa.UniqueConstraint("id", name="uq_outcomes_id"),
    )
    op.create_index("ix_outcomes_proposal", "outcomes", ["proposal"], unique=False)
    op.create_table(
        "people",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_people"),
    )
    op.create_table(
        "proposals",
        sa.Column("n", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("situation", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("n", name="pk_proposals"),
        sa.UniqueConstraint("id", name="uq_proposals_id"),
    )
    op.create_index("ix_proposals_situation", "proposals", ["situation"], unique=False)
    op.create_index("ix_proposals_status_n", "proposals", ["status", "n"], unique=False)
    op.create_table(
        "recalled",
        sa.Column("n", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("collection", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("trust", sa.String(), nullable=False),
        sa.Column("at", Instant(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("n", name="pk_recalled"),
        sa.UniqueConstraint("collection", "id", name="uq_recalled_collection_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_recalled_hash", "recalled", ["hash"], unique=False)
    op.create_index("ix_recalled_state_n", "recalled", ["state", "n"], unique=False)
    op.create_table(
        "rounds",
        sa.Column("n", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("signal_seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("n", name="pk_rounds"),
        sa.UniqueConstraint("id", name="uq_rounds_id"),
    )
    op.create_table(
        "series",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("metric", sa.String(), nullable=False),
        sa.Column("entity", sa.String(), nullable=False),
        sa.Column("dims", sa.String(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("grain_s", sa.Integer(), nullable=True),
        sa.Column("born", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_series"),
        sa.UniqueConstraint("metric", "entity", "dims", name="uq_series_metric_entity_dims"),
    )
    op.create_table(
        "signals",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("received_at", Instant(), nullable=False),
        sa.Column("newest_at", Instant(), nullable=False),
        sa.Column("trust", sa.String(), nullable=False),
        sa.Column("raw", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_signals"),
        sa.UniqueConstraint("source", "id", name="uq_signals_source_id"),
    )
    op.create_index(
        "ix_signals_told",
        "signals",
        ["type", "at", "seq"],
        unique=False,
        sqlite_where=sa.text("type <> 'accord.metric.point'"),
        postgresql_where=sa.text("type <> 'accord.metric.point'"),
    )
    op.create_table(
        "situations",
        sa.Column("n", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("n", name="pk_situations"),
        sa.UniqueConstraint("id", name="uq_situations_id"),
    )
    op.create_index("ix_situations_status_n", "situations", ["status", "n"], unique=False)
    op.create_table(
        "vectors",
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("hash", "model", name="pk_vectors"),
    )
    op.create_table(
        "actions",
        sa.Column("n", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("proposal", sa.String(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("entity", sa.String(), nullable=True),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("due_at", Instant(), nullable=True),
        sa.Column("moved_at", Instant(), nullable=True),
        sa.Column("measure_at", Instant(), nullable=True),
        sa.Column("delta_minor", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["proposal"], ["proposals.id"], name="fk_actions_proposal"),
        sa.PrimaryKeyConstraint("n", name="pk_actions"),
        sa.UniqueConstraint("id", name="uq_actions_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_actions_due_at_id", "actions", ["due_at", "id"], unique=False)
    op.create_index("ix_actions_entity", "actions", ["entity"], unique=False)
    op.create_index("ix_actions_proposal", "actions", ["proposal"], unique=False)
    op.create_index("ix_actions_status_n", "actions", ["status", "n"], unique=False)
    op.create_table(
        "decisions",
        sa.Column("n", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("proposal", sa.String(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["proposal"], ["proposals.id"], name="fk_decisions_proposal"),
        sa.PrimaryKeyConstraint("n", name="pk_decisions"),
        sa.UniqueConstraint("id", name="uq_decisions_id"),
    )
    op.create_index("ix_decisions_proposal", "decisions", ["proposal"], unique=False)
    op.create_table(
        "points",
        sa.Column("series", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at_s", sa.Float(precision=53), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("value", sa.Float(precision=53), nullable=False),
        sa.ForeignKeyConstraint(["series"], ["series.id"], name="fk_points_series"),
        sa.PrimaryKeyConstraint("series", "at_s", "seq", name="pk_points"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_points_seq", "points", ["seq"], unique=False)
