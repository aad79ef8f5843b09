"""The tables: the truth about what was found, what is left to do and what was read.

Migrations in wetread/store/migrations make them; a test holds the two equal on SQLite and PostgreSQL.
Paths are bytes, as the file system gives them. Leases are seconds of the database's own clock.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Date,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from schemas.delivery_tables import Delivery as Delivery
from schemas.image_tables import Image as Image
from schemas.image_tables import Root as Root
from schemas.promotion_tables import AliasChange as AliasChange
from schemas.promotion_tables import Evaluation as Evaluation
from schemas.promotion_tables import MapCheck as MapCheck
from schemas.promotion_tables import ModelAlias as ModelAlias
from schemas.pull_tables import Pull as Pull
from schemas.pull_tables import PullInstance as PullInstance
from schemas.pull_tables import PullStudy as PullStudy
from schemas.reader_tables import ApiToken as ApiToken
from schemas.reader_tables import ReaderSession as ReaderSession
from schemas.reader_tables import ReadingList as ReadingList
from schemas.reader_tables import StoredReader as StoredReader
from schemas.received_tables import Received as Received
from schemas.received_tables import ReceivedAccount as ReceivedAccount
from schemas.received_tables import StoredPeer as StoredPeer
from schemas.review_tables import Review as Review
from schemas.run_tables import NumberGiven as NumberGiven
from schemas.run_tables import RunStage as RunStage
from schemas.run_tables import RunTally as RunTally
from schemas.run_tables import UnreadDirectory as UnreadDirectory
from schemas.schedule_tables import Schedule as Schedule
from schemas.schedule_tables import ScheduleTick as ScheduleTick
from schemas.table_base import WALK_RULES, Base, BigId, UtcDateTime, where

IS_FAILED = "state IN ('rejected', 'dead')"
"""The rows of the indexes of what failed: a query that names this very text is answered from them."""


class Model(Base):
    """An immutable version of a model; its digest is what a reading belongs to."""

    __tablename__ = "models"
    __table_args__ = (UniqueConstraint("name", "version"),)
    digest: Mapped[str] = mapped_column(
        String(64), primary_key=True, comment="of architecture, weights, labels, preprocessing and gate"
    )
    name: Mapped[str] = mapped_column(String(64))
    version: Mapped[int] = mapped_column(Integer)
    directory: Mapped[str] = mapped_column(
        Text, comment="of the artefact, relative to the models' folder, or 'shipped:NAME'"
    )
    labels: Mapped[list[str]] = mapped_column(JSON, comment="in the order of the logits")
    decision_digest: Mapped[str] = mapped_column(ForeignKey("decisions.digest"), comment="the decision in force")
    registered_at: Mapped[datetime] = mapped_column(UtcDateTime)


class StoredDecision(Base):
    """How logits become probabilities and a label."""

    __tablename__ = "decisions"
    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    model_digest: Mapped[str] = mapped_column(String(64), index=True)
    temperature: Mapped[float] = mapped_column(Float, comment="logits are divided by it before softmax")
    thresholds: Mapped[dict[str, float]] = mapped_column(JSON, comment="label: least probability; below it, uncertain")


class Run(Base):
    """One screening of some roots by one model, and its accounts."""

    __tablename__ = "runs"
    __table_args__ = (
        CheckConstraint("found = pending + done + rejected + dead + cancelled + skipped", name="accounts"),
        CheckConstraint("state <> 'finished' OR pending = 0", name="finished"),
        Index("ix_runs_state", "state"),
        Index(
            "ix_runs_shadow_of",
            "shadow_of",
            sqlite_where=text("shadow_of IS NOT NULL"),
            postgresql_where=text("shadow_of IS NOT NULL"),
        ),
    )
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    state: Mapped[str] = mapped_column(String(16))
    model_digest: Mapped[str] = mapped_column(ForeignKey("models.digest"))
    engine: Mapped[str] = mapped_column(String(16), comment="numpy, keras or onnx")
    root_ids: Mapped[list[int]] = mapped_column(JSON)
    force: Mapped[bool] = mapped_column(comment="read again what this model has read")
    shadow_of: Mapped[int | None] = mapped_column(
        BigInteger, comment="the run whose films this run's model reads beside it; it has accounts of its own"
    )
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    walked_at: Mapped[datetime | None] = mapped_column(
        UtcDateTime, comment="when the last root had been walked to its end"
    )
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    walker: Mapped[str | None] = mapped_column(String(128), comment="the process that walks its roots")
    walk_until: Mapped[float | None] = mapped_column(Float, comment="when that process counts as gone, as a lease")
    note: Mapped[str | None] = mapped_column(Text, comment="why it is paused or failed, or what was not looked into")
    accepts: Mapped[dict[str, list[str]] | None] = mapped_column(JSON(none_as_null=True), comment="words read anyway")
    kind: Mapped[str] = mapped_column(
        String(16), default="screen", server_default="screen", comment="screen, or watch: what `wetread watch` found"
    )
    untouched: Mapped[int] = mapped_column(default=0, server_default="0", comment="deaths since an image was touched")
    walk_rules: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True), comment=WALK_RULES)
    passed_over: Mapped[dict[str, int] | None] = mapped_column(
        JSON(none_as_null=True), comment="what its last walk passed over: {kind: count}"
    )
    unread_directories: Mapped[int] = mapped_column(
        BigInteger, default=0, server_default="0", comment="that its last walk could not look into"
    )
    trouble: Mapped[str | None] = mapped_column(String(32), comment="a kind of alarm: what hindered it last")
    trouble_why: Mapped[str | None] = mapped_column(Text, comment="in a sentence")
    drift: Mapped[list[Any] | None] = mapped_column(JSON(none_as_null=True), comment="alarms of drift, from its end")
    found: Mapped[int] = mapped_column(BigInteger, default=0)
    pending: Mapped[int] = mapped_column(BigInteger, default=0)
    done: Mapped[int] = mapped_column(BigInteger, default=0)
    rejected: Mapped[int] = mapped_column(BigInteger, default=0)
    dead: Mapped[int] = mapped_column(BigInteger, default=0)
    cancelled: Mapped[int] = mapped_column(BigInteger, default=0)
    skipped: Mapped[int] = mapped_column(BigInteger, default=0, comment="settled by an earlier run of this model")


class Batch(Base):
    """Some images of a run that one worker takes together, under a lease."""

    __tablename__ = "batches"
    __table_args__ = (
        Index(
            "ix_batches_open",
            "run_id",
            "id",
            sqlite_where=text("pending > 0"),
            postgresql_where=text("pending > 0"),
        ),
        Index(
            "ix_batches_rides_on",
            "rides_on",
            sqlite_where=text("rides_on IS NOT NULL"),
            postgresql_where=text("rides_on IS NOT NULL"),
        ),
    )
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"))
    pending: Mapped[int] = mapped_column(Integer, comment="its images not settled yet")
    owner: Mapped[str | None] = mapped_column(String(128), comment="the worker that holds the lease")
    fence: Mapped[int] = mapped_column(
        Integer, default=0, comment="rises with each claim; a settle under an older one fails"
    )
    lease_until: Mapped[float | None] = mapped_column(Float, comment="seconds since 1970 by the database's clock")
    kills: Mapped[int] = mapped_column(
        Integer, default=0, comment="workers that died holding it; above 0 it is taken one image at a time"
    )
    rung_at: Mapped[float | None] = mapped_column(Float, comment="when the broker was last rung for it")
    rides_on: Mapped[int | None] = mapped_column(
        BigInteger, comment="the batch of the shadowed run with which its images are read; no foreign key"
    )
    doubts: Mapped[list[Any] | None] = mapped_column(JSON(none_as_null=True), comment="counted of whom it may wrong")


class WorkItem(Base):
    """One image in one run: whether it is settled, and how."""

    __tablename__ = "work_items"
    __table_args__ = (
        Index("ix_work_items_batch", "batch_id"),
        Index("ix_work_items_run_failed", "run_id", "state", "reason", "image_id", **where(IS_FAILED)),
        Index("ix_work_items_failed", "state", "reason", "image_id", **where(f"{IS_FAILED} AND {{current}}")),
        Index("ix_work_items_settled", "settled_at", "image_id", **where("{current}")),
        Index("ix_work_items_prediction", "prediction_id"),
        Index(
            "ix_work_items_header",
            "header_id",
            sqlite_where=text("header_id IS NOT NULL"),
            postgresql_where=text("header_id IS NOT NULL"),
        ),
        Index("uq_work_items_current", "model_digest", "image_id", unique=True, **where("{current}")),
    )
    run_id: Mapped[int] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    image_id: Mapped[int] = mapped_column(ForeignKey("images.id"), primary_key=True)
    batch_id: Mapped[int] = mapped_column(BigInteger)
    model_digest: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str | None] = mapped_column(String(32))
    detail: Mapped[str | None] = mapped_column(Text, comment="for people; never a path")
    word: Mapped[str | None] = mapped_column(String(32), comment="of our own lists, by which a film was set aside")
    rules: Mapped[str | None] = mapped_column(String(32), comment="under which its bytes were rejected")
    attempts: Mapped[int] = mapped_column(
        Integer, default=0, comment="times it was touched alone after a worker died on its batch"
    )
    oom_kills: Mapped[int | None] = mapped_column(BigInteger, comment="the kernel's count as it was last tried alone")
    program: Mapped[str | None] = mapped_column(String(32), comment="the version of wetread under which it is dead")
    sha256: Mapped[str | None] = mapped_column(String(64), comment="of the bytes that were read")
    size: Mapped[int | None] = mapped_column(BigInteger, comment="bytes, of what was read")
    mtime_ns: Mapped[int | None] = mapped_column(BigInteger, comment="of what was read")
    prediction_id: Mapped[int | None] = mapped_column(ForeignKey("predictions.id"))
    header_id: Mapped[int | None] = mapped_column(BigId, comment="what its file's header says, in film_headers")
    current: Mapped[bool] = mapped_column(
        default=False, comment="the latest settled reading of this image by this model"
    )
    worker: Mapped[str | None] = mapped_column(String(128))
    settled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class StoredPrediction(Base):
    """One model's reading of one file's bytes, and of others that show the same; only --force replaces its values."""

    __tablename__ = "predictions"
    __table_args__ = (
        UniqueConstraint("sha256", "model_digest"),
        Index(
            "uq_predictions_shown",
            "shown",
            "model_digest",
            unique=True,
            sqlite_where=text("shown IS NOT NULL"),
            postgresql_where=text("shown IS NOT NULL"),
        ),
        Index("ix_predictions_label", "label", "probability", "id"),
        Index("ix_predictions_decision", "decision", "probability", "id"),
        Index("ix_predictions_probability", "probability", "id"),
    )
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64), comment="of the file's bytes")
    model_digest: Mapped[str] = mapped_column(ForeignKey("models.digest"))
    decision_digest: Mapped[str] = mapped_column(String(64))
    engine: Mapped[str] = mapped_column(String(16))
    run_id: Mapped[int] = mapped_column(BigInteger, comment="the run that read it; kept when the run is deleted")
    logits: Mapped[list[float]] = mapped_column(JSON, comment="one a label, before temperature")
    gate_score: Mapped[float | None] = mapped_column(Float)
    grey_mean: Mapped[float | None] = mapped_column(Float, comment="mean grey level of the preprocessed film, 0 to 255")
    grey_deviation: Mapped[float | None] = mapped_column(Float, comment="standard deviation of its grey levels")
    label: Mapped[str] = mapped_column(String(64), comment="the label of the highest probability")
    probability: Mapped[float] = mapped_column(Float)
    probabilities: Mapped[list[float]] = mapped_column(JSON, comment="one a label")
    decision: Mapped[str] = mapped_column(String(64), comment="the label that the thresholds allow, or uncertain")
    read_at: Mapped[datetime] = mapped_column(UtcDateTime)
    shown: Mapped[str | None] = mapped_column(String(64), comment="digest of what a DICOM film shows")


class SamePicture(Base):
    """A file's bytes that show what a model has read in a file of other bytes, and that reading."""

    __tablename__ = "same_pictures"
    __table_args__ = (Index("ix_same_pictures_prediction_id", "prediction_id"),)
    sha256: Mapped[str] = mapped_column(String(64), primary_key=True, comment="of the file's bytes")
    model_digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    prediction_id: Mapped[int] = mapped_column(
        ForeignKey("predictions.id", ondelete="CASCADE"), comment="the reading, made of other bytes"
    )


class StoredHeader(Base):
    """What is kept of a DICOM file's header, by an allow-list; it belongs to the file's bytes."""

    __tablename__ = "film_headers"
    __table_args__ = (
        Index("ix_film_headers_study_uid", "study_uid"),
        Index("ix_film_headers_series_uid", "series_uid"),
    )
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64), unique=True, comment="of the file's bytes")
    study_uid: Mapped[str | None] = mapped_column(String(64))
    series_uid: Mapped[str | None] = mapped_column(String(64))
    instance_uid: Mapped[str | None] = mapped_column(String(64))
    view: Mapped[str | None] = mapped_column(String(16), index=True, comment="a code of the standard")
    modality: Mapped[str | None] = mapped_column(String(16), index=True, comment="a code of the standard")
    acquired_on: Mapped[date | None] = mapped_column(Date, index=True)
    pixel_spacing: Mapped[list[float] | None] = mapped_column(
        JSON(none_as_null=True), comment="millimetres between rows, between columns"
    )
    patient_hash: Mapped[str | None] = mapped_column(String(64), index=True, comment="HMAC-SHA256 of the patient's id")
    display_note: Mapped[str | None] = mapped_column(String(255), comment="what was set right; null: not decoded")


class Worker(Base):
    """A process that serves, and when it was last heard of."""

    __tablename__ = "workers"
    id: Mapped[str] = mapped_column(String(128), primary_key=True, comment="host:pid:start:place, unique for ever")
    host: Mapped[str] = mapped_column(String(64))
    pid: Mapped[int] = mapped_column(Integer)
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    seen_at: Mapped[float] = mapped_column(Float, comment="seconds since 1970 by the database's clock")
    details: Mapped[dict[str, Any]] = mapped_column(JSON, comment="engine, model digest")
