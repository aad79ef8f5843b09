"""`wetread results delete`: deletes images and their readings from the database; the files stay."""

from __future__ import annotations

import re

import click

from cli.context import asked_database, opened_database
from cli.output import emit_json, say
from wetread.views.asked_values import chosen_path

FORMS = {"sha256": "[0-9a-f]{64}", "patient_hash": "[0-9a-f]{64}", "study_uid": r"[0-9.]{1,64}"}


@click.command("delete")
@click.option(
    "--path",
    help="Images whose path begins with this, from /, from here or from a root; end a directory with /.",
)
@click.option("--sha256", help="Images that hold, or held, the bytes with this SHA-256.")
@click.option("--study", "study_uid", help="DICOM films of this study, by its UID.")
@click.option("--patient-hash", help="DICOM films of this patient, by the hash that results give.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def delete_results(yes: bool, as_json: bool, **chosen: str | None) -> None:
    """Delete images with every run's item of them, their readings and headers; runs' accounts lose them too.

    The files stay. A run that finds them again reads them again: take them out of the archive first. A reading stays
    while another image has the same bytes: --sha256 finds all of these. Given two options, both have to hold.

    \b
    Example:
      wetread results list --path /archive/patient-0171/ --limit 0
      wetread results delete --path /archive/patient-0171/
    """
    from schemas.errors import UsageError
    from wetread.store.core.limits import LONG
    from wetread.store.images.unread_directories import forget_unread
    from wetread.store.roots.erasing import ERASED_AT_ONCE, Erased, erase_images, find_images

    wanted = {name: value for name, value in chosen.items() if value}
    if not wanted:
        raise UsageError("expected --path, --sha256, --study or --patient-hash, found none: say whose rows are to go")
    for name, form in FORMS.items():
        if name in wanted and not re.fullmatch(form, wanted[name]):
            option = name.removesuffix("_uid").replace("_", "-")
            raise UsageError(f"--{option}: expected it as results give it, found {wanted[name][:80]!r}")
    with asked_database() as (_, database):
        path = chosen_path(database, wanted.pop("path")) if "path" in wanted else None
        with database.reading() as session:
            images = find_images(session, path=path, **wanted)
    if not images:
        raise UsageError("expected images to delete, found none for which all of this holds; nothing was deleted")
    with opened_database() as (_, database):
        if not yes:
            click.confirm(f"Delete {len(images)} images with all that was read of them?", abort=True, err=True)
        erased = Erased()
        for start in range(0, len(images), ERASED_AT_ONCE):
            with database.writing(LONG) as session:
                erased += erase_images(session, images[start : start + ERASED_AT_ONCE])
        if path is not None and not wanted:
            with database.writing() as session:
                forget_unread(session, path)
    if as_json:
        emit_json({"images": erased.images, "items": erased.items, "readings": erased.readings})
    say(f"deleted {erased.images} images, {erased.items} items of runs and {erased.readings} readings")
