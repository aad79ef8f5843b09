"""the first tables"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "alias_changes",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("alias", sa.String(length=64), nullable=False),
        sa.Column("model_digest", sa.String(length=64), nullable=False),
        sa.Column("previous_digest", sa.String(length=64), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alias_changes")),
    )
    with op.batch_alter_table("alias_changes", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_alias_changes_alias"), ["alias"], unique=False)

    op.create_table(
        "decisions",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("model_digest", sa.String(length=64), nullable=False),
        sa.Column("temperature", sa.Float(), nullable=False, comment="logits are divided by it before softmax"),
        sa.Column("thresholds", sa.JSON(), nullable=False, comment="label: least probability; below it, uncertain"),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_decisions")),
    )
    with op.batch_alter_table("decisions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_decisions_model_digest"), ["model_digest"], unique=False)

    op.create_table(
        "roots",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("path", sa.LargeBinary(), nullable=False, comment="absolute, links resolved, as bytes"),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_roots")),
        sa.UniqueConstraint("path", name=op.f("uq_roots_path")),
    )
    op.create_table(
        "workers",
        sa.Column("id", sa.String(length=128), nullable=False, comment="host:pid:start, unique for ever"),
        sa.Column("host", sa.String(length=64), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.Float(), nullable=False, comment="seconds since 1970 by the database's clock"),
        sa.Column("details", sa.JSON(), nullable=False, comment="engine, model digest"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workers")),
    )
    op.create_table(
        "images",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("root_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("path", sa.LargeBinary(), nullable=False, comment="relative to the root, as bytes; may hold a name"),
        sa.Column("size", sa.BigInteger(), nullable=False, comment="bytes"),
        sa.Column("mtime_ns", sa.BigInteger(), nullable=False, comment="nanoseconds since 1970"),
        sa.ForeignKeyConstraint(["root_id"], ["roots.id"], name=op.f("fk_images_root_id_roots")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_images")),
        sa.UniqueConstraint("root_id", "path", name=op.f("uq_images_root_id_path")),
    )
    op.create_table(
        "models",
        sa.Column(
            "digest",
            sa.String(length=64),
            nullable=False,
            comment="of architecture, weights, labels, preprocessing and gate",
        ),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column(
            "directory",
            sa.Text(),
            nullable=False,
            comment="of the artefact, relative to the models' folder, or 'shipped:NAME'",
        ),
        sa.Column("labels", sa.JSON(), nullable=False, comment="in the order of the logits"),
        sa.Column("decision_digest", sa.String(length=64), nullable=False, comment="the decision in force"),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["decision_digest"], ["decisions.digest"], name=op.f("fk_models_decision_digest_decisions")
        ),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_models")),
        sa.UniqueConstraint("name", "version", name=op.f("uq_models_name_version")),
    )
    op.create_table(
        "model_aliases",
        sa.Column("alias", sa.String(length=64), nullable=False),
        sa.Column("model_digest", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["model_digest"], ["models.digest"], name=op.f("fk_model_aliases_model_digest_models")),
        sa.PrimaryKeyConstraint("alias", name=op.f("pk_model_aliases")),
    )
    op.create_table(
        "predictions",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False, comment="of the file's bytes"),
        sa.Column("model_digest", sa.String(length=64), nullable=False),
        sa.Column("decision_digest", sa.String(length=64), nullable=False),
        sa.Column("engine", sa.String(length=16), nullable=False),
        sa.Column(
            "run_id", sa.BigInteger(), nullable=False, comment="the run that read it; kept when the run is deleted"
        ),
        sa.Column("logits", sa.JSON(), nullable=False, comment="one a label, before temperature"),
        sa.Column("gate_score", sa.Float(), nullable=True),
        sa.Column("label", sa.String(length=64), nullable=False, comment="the label of the highest probability"),
        sa.Column("probability", sa.Float(), nullable=False),
        sa.Column("probabilities", sa.JSON(), nullable=False, comment="one a label"),
        sa.Column(
            "decision",
            sa.String(length=64),
            nullable=False,
            comment="the label that the thresholds allow, or uncertain",
        ),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["model_digest"], ["models.digest"], name=op.f("fk_predictions_model_digest_models")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_predictions")),
        sa.UniqueConstraint("sha256", "model_digest", name=op.f("uq_predictions_sha256_model_digest")),
    )
    with op.batch_alter_table("predictions", schema=None) as batch_op:
        batch_op.create_index("ix_predictions_label", ["model_digest", "label", "probability"], unique=False)

    op.create_table(
        "runs",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("model_digest", sa.String(length=64), nullable=False),
        sa.Column("engine", sa.String(length=16), nullable=False, comment="numpy, keras or onnx"),
        sa.Column("root_ids", sa.JSON(), nullable=False),
        sa.Column("force", sa.Boolean(), nullable=False, comment="read again what this model has read"),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "walked_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="when the last root had been walked to its end",
        ),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("walker", sa.String(length=128), nullable=True, comment="the process that walks its roots"),
        sa.Column("walk_until", sa.Float(), nullable=True, comment="when that process counts as gone, as a lease"),
        sa.Column("note", sa.Text(), nullable=True, comment="why it is paused or failed, or what was not looked into"),
        sa.Column("found", sa.BigInteger(), nullable=False),
        sa.Column("pending", sa.BigInteger(), nullable=False),
        sa.Column("done", sa.BigInteger(), nullable=False),
        sa.Column("rejected", sa.BigInteger(), nullable=False),
        sa.Column("dead", sa.BigInteger(), nullable=False),
        sa.Column("cancelled", sa.BigInteger(), nullable=False),
        sa.Column("skipped", sa.BigInteger(), nullable=False, comment="settled by an earlier run of this model"),
        sa.CheckConstraint("state <> 'finished' OR pending = 0", name=op.f("ck_runs_finished")),
        sa.CheckConstraint(
            "found = pending + done + rejected + dead + cancelled + skipped", name=op.f("ck_runs_accounts")
        ),
        sa.ForeignKeyConstraint(["model_digest"], ["models.digest"], name=op.f("fk_runs_model_digest_models")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_runs")),
    )
    with op.batch_alter_table("runs", schema=None) as batch_op:
        batch_op.create_index("ix_runs_state", ["state"], unique=False)

    op.create_table(
        "batches",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("run_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("pending", sa.Integer(), nullable=False, comment="its images not settled yet"),
        sa.Column("owner", sa.String(length=128), nullable=True, comment="the worker that holds the lease"),
        sa.Column(
            "fence", sa.Integer(), nullable=False, comment="rises with each claim; a settle under an older one fails"
        ),
        sa.Column("lease_until", sa.Float(), nullable=True, comment="seconds since 1970 by the database's clock"),
        sa.Column(
            "kills",
            sa.Integer(),
            nullable=False,
            comment="workers that died holding it; above 0 it is taken one image at a time",
        ),
        sa.Column("rung_at", sa.Float(), nullable=True, comment="when the broker was last rung for it"),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_batches_run_id_runs"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_batches")),
    )
    with op.batch_alter_table("batches", schema=None) as batch_op:
        batch_op.create_index(
            "ix_batches_open",
            ["run_id", "id"],
            unique=False,
            sqlite_where=sa.text("pending > 0"),
            postgresql_where=sa.text("pending > 0"),
        )

    op.create_table(
        "run_tallies",
        sa.Column("run_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False, comment="label, uncertain, rejected or dead"),
        sa.Column("name", sa.String(length=64), nullable=False, comment="the label or the reason"),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_run_tallies_run_id_runs"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "kind", "name", name=op.f("pk_run_tallies")),
    )
    op.create_table(
        "work_items",
        sa.Column("run_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("image_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("batch_id", sa.BigInteger(), nullable=False),
        sa.Column("model_digest", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True, comment="for people; never a path"),
        sa.Column(
            "attempts",
            sa.Integer(),
            nullable=False,
            comment="times it was touched alone after a worker died on its batch",
        ),
        sa.Column("sha256", sa.String(length=64), nullable=True, comment="of the bytes that were read"),
        sa.Column("size", sa.BigInteger(), nullable=True, comment="bytes, of what was read"),
        sa.Column("mtime_ns", sa.BigInteger(), nullable=True, comment="of what was read"),
        sa.Column("prediction_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column(
            "current", sa.Boolean(), nullable=False, comment="the latest settled reading of this image by this model"
        ),
        sa.Column("worker", sa.String(length=128), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["image_id"], ["images.id"], name=op.f("fk_work_items_image_id_images")),
        sa.ForeignKeyConstraint(
            ["prediction_id"], ["predictions.id"], name=op.f("fk_work_items_prediction_id_predictions")
        ),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], name=op.f("fk_work_items_run_id_runs"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "image_id", name=op.f("pk_work_items")),
    )
    with op.batch_alter_table("work_items", schema=None) as batch_op:
        batch_op.create_index("ix_work_items_batch", ["batch_id"], unique=False)
        batch_op.create_index("ix_work_items_prediction", ["prediction_id"], unique=False)
        batch_op.create_index("ix_work_items_state", ["run_id", "state"], unique=False)
        batch_op.create_index(
            "uq_work_items_current",
            ["image_id", "model_digest"],
            unique=True,
            sqlite_where=sa.text("current"),
            postgresql_where=sa.text("current"),
        )


def downgrade() -> None:
    with op.batch_alter_table("work_items", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_work_items_current", sqlite_where=sa.text("current"), postgresql_where=sa.text("current")
        )
        batch_op.drop_index("ix_work_items_state")
        batch_op.drop_index("ix_work_items_prediction")
        batch_op.drop_index("ix_work_items_batch")

    op.drop_table("work_items")
    op.drop_table("run_tallies")
    with op.batch_alter_table("batches", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_batches_open", sqlite_where=sa.text("pending > 0"), postgresql_where=sa.text("pending > 0")
        )

    op.drop_table("batches")
    with op.batch_alter_table("runs", schema=None) as batch_op:
        batch_op.drop_index("ix_runs_state")

    op.drop_table("runs")
    with op.batch_alter_table("predictions", schema=None) as batch_op:
        batch_op.drop_index("ix_predictions_label")

    op.drop_table("predictions")
    op.drop_table("model_aliases")
    op.drop_table("models")
    op.drop_table("images")
    op.drop_table("workers")
    op.drop_table("roots")
    with op.batch_alter_table("decisions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_decisions_model_digest"))

    op.drop_table("decisions")
    with op.batch_alter_table("alias_changes", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_alias_changes_alias"))

    op.drop_table("alias_changes")
