"""Makes the order that resumes a run: its directories, models, engine and rules come from the run itself."""

from __future__ import annotations

import os

from producer.linked_roots import walk_rules
from schemas.errors import UsageError
from schemas.states import UNFINISHED_RUNS
from screening.order import RunOrder
from screening.shadow import Warn, chosen_models
from wetread.models.registry import Registry
from wetread.settings import Settings
from wetread.store.core.database import Database
from wetread.store.images.places import root_paths
from wetread.store.runs.accounts import run_account, shadow_accounts


def order_to_resume(database: Database, settings: Settings, run_id: int, workers: int, warn: Warn) -> RunOrder:
    """Return the order that continues an unfinished run: its directories, model, engine and rules.

    A shadow goes on with the run that it shadows, and that one with its shadow. Where only the shadow is unfinished the
    order makes a new first run, in which all is skipped. Raises UsageError for a run that is not there or has ended,
    and what `chosen_models` does.
    """
    with database.reading() as session:
        account = run_account(session, run_id)
        roots = root_paths(session, account.root_ids)
        shadowed = account if account.shadow_of is None else run_account(session, account.shadow_of)
        shadows = [account] if shadowed is not account else shadow_accounts(session, run_id)
    if account.state not in UNFINISHED_RUNS:
        raise UsageError(f"run {run_id} is {account.state}: only a run that is not finished can be resumed")
    rules = walk_rules(account.rules.exclude, account.rules.allow, follow_links=account.rules.follow_links)
    shadow = next((shadow.model_digest for shadow in shadows if shadow.state in UNFINISHED_RUNS), None)
    registry = Registry(database, settings.models_directory)
    digest, beside = chosen_models(registry, shadowed.model_digest, shadow, account.engine, settings.broker, warn)
    return RunOrder(
        tuple(os.fsdecode(path) for path in roots.values()),
        digest,
        account.engine,
        account.force,
        workers,
        run=shadowed.id if shadowed.state in UNFINISHED_RUNS else None,
        shadow_digest=beside,
        rules=rules,
        accepted=settings.accepted,
    )
