"""results are asked by index, each filter by its own; views for people

- uq_work_items_current had the words "WHERE current" on SQLite, where queries say "current = 1": SQLite took it for
  none of them and read the whole table. It begins with the model now, so that one model's images lie together.
- ix_work_items_state held every item of every run. What it was for, the failed ones, has indexes of its own, which
  neither recording nor a reading that succeeds writes to.
- ix_predictions_label began with the model, which a question for a label need not name.
- ix_images_path is PostgreSQL's: the first 255 bytes, since an index takes no long path. SQLite still has the first
  revision's index of whole paths.

Workers of the version before go on: no column changes.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

FAILED = "state IN ('rejected', 'dead')"

READINGS = """
CREATE VIEW readings AS
SELECT {path} AS path, p.label, p.probability, p.decision, m.name || '@' || m.version AS model, p.engine,
       w.run_id AS run, p.read_at, w.settled_at, w.sha256, p.gate_score,
       h.study_uid, h.series_uid, h.instance_uid, h.view, h.modality, h.acquired_on, w.image_id
FROM work_items w
JOIN images i ON i.id = w.image_id
JOIN roots r ON r.id = i.root_id
JOIN models m ON m.digest = w.model_digest
JOIN predictions p ON p.id = w.prediction_id
LEFT JOIN film_headers h ON h.id = w.header_id
WHERE {current}
"""

FAILURES = """
CREATE VIEW failures AS
SELECT {path} AS path, w.state, w.reason, w.detail, m.name || '@' || m.version AS model, w.run_id AS run,
       w.attempts, w.settled_at, w.sha256, w.image_id
FROM work_items w
JOIN images i ON i.id = w.image_id
JOIN roots r ON r.id = i.root_id
JOIN models m ON m.digest = w.model_digest
WHERE {current} AND w.state IN ('rejected', 'dead')
"""

SQLITE = {"path": "CAST(rtrim(r.path, '/') || '/' || i.path AS TEXT)", "current": "w.current = 1"}
POSTGRESQL = {
    "path": "rtrim(encode(r.path, 'escape'), '/') || '/' || encode(i.path, 'escape')",
    "current": "w.current",
}


def where(condition: str) -> dict[str, Any]:
    return {
        "sqlite_where": sa.text(condition.format(current="current = 1")),
        "postgresql_where": sa.text(condition.format(current="current")),
    }


def upgrade() -> None:
    postgresql = op.get_bind().dialect.name == "postgresql"
    op.drop_index("uq_work_items_current", "work_items")
    op.create_index(
        "uq_work_items_current", "work_items", ["model_digest", "image_id"], unique=True, **where("{current}")
    )
    op.drop_index("ix_work_items_state", "work_items")
    op.create_index(
        "ix_work_items_run_failed", "work_items", ["run_id", "state", "reason", "image_id"], **where(FAILED)
    )
    op.create_index(
        "ix_work_items_failed", "work_items", ["state", "reason", "image_id"], **where(FAILED + " AND {current}")
    )
    op.create_index("ix_work_items_settled", "work_items", ["settled_at", "image_id"], **where("{current}"))
    op.drop_index("ix_predictions_label", "predictions")
    op.create_index("ix_predictions_label", "predictions", ["label", "probability", "id"])
    op.create_index("ix_predictions_decision", "predictions", ["decision", "probability", "id"])
    op.create_index("ix_predictions_probability", "predictions", ["probability", "id"])
    if postgresql:
        op.create_index("ix_images_path", "images", ["root_id", sa.text("substring(path, 1, 255)")])
    for view in (READINGS, FAILURES):
        op.execute(view.format(**(POSTGRESQL if postgresql else SQLITE)))


def downgrade() -> None:
    op.execute("DROP VIEW failures")
    op.execute("DROP VIEW readings")
    if op.get_bind().dialect.name == "postgresql":
        op.drop_index("ix_images_path", "images")
    for name in ("ix_predictions_probability", "ix_predictions_decision", "ix_predictions_label"):
        op.drop_index(name, "predictions")
    op.create_index("ix_predictions_label", "predictions", ["model_digest", "label", "probability"])
    for name in ("settled", "failed", "run_failed"):
        op.drop_index(f"ix_work_items_{name}", "work_items")
    op.create_index("ix_work_items_state", "work_items", ["run_id", "state"])
    op.drop_index("uq_work_items_current", "work_items")
    op.create_index(
        "uq_work_items_current",
        "work_items",
        ["image_id", "model_digest"],
        unique=True,
        sqlite_where=sa.text("current"),
        postgresql_where=sa.text("current"),
    )
