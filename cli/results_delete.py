"""`wetread results delete`: the films of a patient, with all that was read of them."""

from __future__ import annotations

import os
import re

import click

from cli.context import opened_database
from cli.output import emit_json, say


@click.command("delete")
@click.option("--path", help="Images whose path begins so: absolute, or as under their root; end a directory with /.")
@click.option("--sha256", help="Images that hold, or held, these bytes, under whatever name.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def delete_results(path: str | None, sha256: str | None, yes: bool, as_json: bool) -> None:
    """Delete images, every run's item of them and their readings; accounts of runs lose them too.

    The files stay. A run that finds them again reads them again: take them out of the archive first. A reading stays
    while another image has the same bytes: --sha256 finds all of these.

    \b
    Example:
      wetread results list --path /archive/patient-0171/ --limit 0
      wetread results delete --path /archive/patient-0171/
    """
    from schemas.errors import UsageError
    from wetread.store.erasing import ERASED_AT_ONCE, Erased, erase_images, find_images

    if not (path or sha256):
        raise UsageError("expected --path or --sha256, found neither: say whose rows are to be deleted")
    if sha256 and not re.fullmatch("[0-9a-f]{64}", sha256):
        raise UsageError(f"--sha256: expected 64 digits of 0 to 9 and a to f, found {sha256[:80]!r}")
    with opened_database() as (_, database):
        with database.reading() as session:
            images = find_images(session, path=os.fsencode(path) if path else None, sha256=sha256)
        if images and not yes:
            click.confirm(f"Delete {len(images)} images with all that was read of them?", abort=True, err=True)
        erased = Erased()
        for start in range(0, len(images), ERASED_AT_ONCE):
            with database.writing() as session:
                erased += erase_images(session, images[start : start + ERASED_AT_ONCE])
    if as_json:
        emit_json({"images": erased.images, "items": erased.items, "readings": erased.readings})
    say(f"deleted {erased.images} images, {erased.items} items of runs and {erased.readings} readings")
