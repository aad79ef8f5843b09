"""Finds, before a run that follows links, the roots that links may lead to, and roots that hold only links."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from producer.excluded import excluded_by
from producer.ingest import SILENT_SECONDS
from producer.links import OUTSIDE, FollowedLinks
from producer.passed_over import LINK, PassedOver
from producer.time_limited_calls import answered_walk
from producer.walk import walk
from schemas.errors import UsageError
from schemas.walk_rules import WalkRules
from wetread.store.roots.adding import resolved_roots, root_ids


def walk_rules(exclude: Sequence[str], allow: Sequence[str], *, follow_links: bool) -> WalkRules:
    """Return the rules that a person named; raise UsageError for a wrong pattern or a missing directory."""
    from producer.excluded import checked_patterns

    if allow and not follow_links:
        raise UsageError("--allow: expected --follow-links with it, found none; without it no link is followed")
    return WalkRules(
        checked_patterns(exclude), follow_links, tuple(os.fsdecode(path) for path in resolved_roots(allow))
    )


def allowed_roots(session: Any, rules: WalkRules, root_map: Mapping[str, str] | None = None) -> dict[int, bytes]:
    """Return {id: path} of the roots that links may lead to, and make new ones; call it as `root_ids`."""
    paths = [os.fsencode(path) for path in rules.allow]
    return dict(zip(root_ids(session, paths, root_map), paths, strict=True)) if paths else {}


def check_not_links_alone(paths: Sequence[bytes], rules: WalkRules, patience: float = SILENT_SECONDS) -> None:
    """Raise UsageError for a root that holds only links, of which none may be followed.

    Each root is walked up to its first film. Raises RootUnavailable when one is gone, and RootSilent when its file
    server says nothing for `patience` seconds.
    """
    roots, allowed = dict(enumerate(paths)), {-1 - n: os.fsencode(path) for n, path in enumerate(rules.allow)}
    excluded = excluded_by(rules.exclude)
    for path in paths:
        passed = PassedOver()
        links = FollowedLinks(roots, allowed, excluded) if rules.follow_links else None
        walking = partial(walk, path, passed, excluded=excluded, links=links)
        found = next(answered_walk(walking, patience), None)
        if found is not None or (links is not None and links.directories) or passed.unread_count:
            continue
        where, count = os.fsdecode(path), passed.kinds[LINK]
        if count:
            raise UsageError(
                f"expected films in {where!r}, found nothing but links ({count:,}); --follow-links follows those that "
                "stay under a directory that you name, --allow ROOT names one that they lead to"
            )
        if count := passed.kinds[OUTSIDE]:
            raise UsageError(
                f"expected films in {where!r}, found nothing but links ({count:,}) that lead out of it; --allow ROOT "
                "names a directory that they may lead to"
            )
