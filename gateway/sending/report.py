"""A reading as a DICOM Structured Report: TID 1500, unverified, preliminary, with the film as its evidence.

Patient and study are copied from the film's file when it is sent, and kept nowhere. Source: DICOM PS3.16, TID 1500,
1501 and 1002; PS3.3, A.35.3 (Comprehensive SR).
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from pydicom import Dataset, dcmread
from pydicom.dataset import FileMetaDataset
from pydicom.errors import InvalidDicomError
from pydicom.uid import ExplicitVRLittleEndian

from schemas.errors import Rejected
from schemas.reasons import Reason
from wetread.store.received.deliveries import Reading
from wetread.version import program_version

COMPREHENSIVE_SR = "1.2.840.10008.5.1.4.1.1.88.33"
NOT_DIAGNOSTIC = "Research software: not for diagnostic use"
FORM = 1
"""Raise it whenever what a report says of the same reading changes: it is another report then."""

_COPIED = (
    "SpecificCharacterSet", "PatientName", "PatientID", "IssuerOfPatientID", "PatientBirthDate", "PatientSex",
    "StudyInstanceUID", "StudyDate", "StudyTime", "StudyID", "AccessionNumber", "ReferringPhysicianName",
    "StudyDescription",
)  # fmt: skip
_MUST_BE_THERE = (
    "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime", "StudyID",
    "AccessionNumber", "ReferringPhysicianName",
)  # fmt: skip
_OURS = "99WETREAD"
_OBSERVER = "2.25.180412365019731902837465564738291046572"


def report_uid(reading: Reading) -> str:
    """Return the SOP instance UID of a reading's report: another one for each film, model, decision and values."""
    told = [FORM, reading.sha256, reading.instance_uid, reading.model_digest, reading.decision_digest, reading.engine]
    return _uid([*told, reading.decision, sorted(reading.values.items())])


def film_header(path: bytes) -> Dataset:
    """Return what of a film's header a report copies or names; raise Rejected where the file is gone or other."""
    try:
        with open(path, "rb") as file:
            return dcmread(
                file, stop_before_pixels=True,
                specific_tags=[*_COPIED, "SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID"],
            )  # fmt: skip
    except FileNotFoundError:
        raise Rejected(Reason.VANISHED, "its film is not in the spool any more") from None
    except OSError as error:
        raise Rejected(Reason.IO_ERROR, "its film cannot be read now") from error
    except (InvalidDicomError, ValueError) as error:
        raise Rejected(Reason.UNDECODABLE, "its film's header cannot be read") from error


def report(film: Dataset, reading: Reading, predecessor: str | None) -> Dataset:
    """Return the report of a reading, which names the one that it takes the place of."""
    made = Dataset()
    for name in _COPIED:
        if name in film:
            made[name] = film[name]
    for name in _MUST_BE_THERE:
        if name not in made:
            setattr(made, name, None)
    at = reading.read_at
    made.SOPClassUID, made.SOPInstanceUID = COMPREHENSIVE_SR, report_uid(reading)
    made.Modality, made.SeriesNumber, made.InstanceNumber = "SR", 9000, 1
    made.SeriesInstanceUID = _uid(["series", str(film.StudyInstanceUID), made.SOPInstanceUID])
    made.SeriesDescription = NOT_DIAGNOSTIC
    made.ReferencedPerformedProcedureStepSequence = []
    made.PerformedProcedureCodeSequence = []
    made.Manufacturer, made.ManufacturerModelName = "wetread", "wetread"
    made.DeviceSerialNumber, made.SoftwareVersions = reading.model_digest, program_version()
    made.InstanceCreationDate = made.SeriesDate = made.ContentDate = f"{at:%Y%m%d}"
    made.InstanceCreationTime = made.SeriesTime = made.ContentTime = f"{at:%H%M%S}"
    made.TimezoneOffsetFromUTC = "+0000"
    made.CompletionFlag, made.VerificationFlag, made.PreliminaryFlag = "COMPLETE", "UNVERIFIED", "PRELIMINARY"
    made.CurrentRequestedProcedureEvidenceSequence = [_evidence(film, [(str(film.SOPClassUID), reading.instance_uid)])]
    if predecessor is not None:
        before = _evidence(film, [(COMPREHENSIVE_SR, predecessor)])
        before.ReferencedSeriesSequence[0].SeriesInstanceUID = _uid(["series", str(film.StudyInstanceUID), predecessor])
        made.PredecessorDocumentsSequence = [before]
    root = _container("", _code("126000", "DCM", "Imaging Measurement Report"), _content(film, reading))
    del root.RelationshipType
    template = Dataset()
    template.MappingResource, template.TemplateIdentifier = "DCMR", "1500"
    root.ContentTemplateSequence = [template]
    made.update(root)
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = made.SOPClassUID, made.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.file_meta = meta
    return made


def _content(film: Dataset, reading: Reading) -> list[Dataset]:
    finding = "a decision below each threshold" if reading.decision == "uncertain" else reading.decision
    image = _item("INFERRED FROM", "IMAGE", None)
    image.ReferencedSOPSequence = [_reference(str(film.SOPClassUID), reading.instance_uid)]
    group = [
        _text("HAS OBS CONTEXT", _code("112039", "DCM", "Tracking Identifier"), f"wetread {reading.model}"),
        _uidref("HAS OBS CONTEXT", _code("112040", "DCM", "Tracking Unique Identifier"), report_uid(reading)),
        _coded("CONTAINS", _code("121071", "DCM", "Finding"), _label(reading.decision, finding)),
    ]
    for label, probability in reading.values.items():
        number = _item("CONTAINS", "NUM", _label(f"P-{label}", f"Probability of {label}"))
        value = Dataset()
        value.NumericValue, value.FloatingPointValue = f"{probability:.8f}", float(probability)
        value.MeasurementUnitsCodeSequence = [_code("1", "UCUM", "no units")]
        number.MeasuredValueSequence = [value]
        number.ContentSequence = [image]
        group.append(number)
    group += [
        _text("CONTAINS", _code("121106", "DCM", "Comment"), NOT_DIAGNOSTIC),
        _text("CONTAINS", _label("ENGINE", "Engine"), reading.engine),
        _text("CONTAINS", _label("FILM-SHA256", "SHA-256 of the film"), reading.sha256),
    ]
    measured = _container("CONTAINS", _code("125007", "DCM", "Measurement Group"), group)
    english = _code("en", "RFC5646", "English")
    return [
        _coded("HAS CONCEPT MOD", _code("121049", "DCM", "Language of Content Item and Descendants"), english),
        _coded("HAS OBS CONTEXT", _code("121005", "DCM", "Observer Type"), _code("121007", "DCM", "Device")),
        _uidref("HAS OBS CONTEXT", _code("121012", "DCM", "Device Observer UID"), _OBSERVER),
        _text("HAS OBS CONTEXT", _code("121013", "DCM", "Device Observer Name"), f"wetread {program_version()}"),
        _text("HAS OBS CONTEXT", _code("121014", "DCM", "Device Observer Manufacturer"), "wetread"),
        _text("HAS OBS CONTEXT", _code("121015", "DCM", "Device Observer Model Name"), reading.model),
        _text("HAS OBS CONTEXT", _code("121016", "DCM", "Device Observer Serial Number"), reading.model_digest),
        _coded(
            "HAS CONCEPT MOD", _code("121058", "DCM", "Procedure reported"),
            _code("399208008", "SCT", "Plain chest X-ray"),
        ),
        _container("CONTAINS", _code("126010", "DCM", "Imaging Measurements"), [measured]),
    ]  # fmt: skip


def _item(relation: str, kind: str, concept: Dataset | None) -> Dataset:
    item = Dataset()
    item.RelationshipType, item.ValueType = relation, kind
    if concept is not None:
        item.ConceptNameCodeSequence = [concept]
    return item


def _container(relation: str, concept: Dataset, content: list[Dataset]) -> Dataset:
    item = _item(relation, "CONTAINER", concept)
    item.ContinuityOfContent, item.ContentSequence = "SEPARATE", content
    return item


def _text(relation: str, concept: Dataset, text: str) -> Dataset:
    item = _item(relation, "TEXT", concept)
    item.TextValue = text
    return item


def _uidref(relation: str, concept: Dataset, uid: str) -> Dataset:
    item = _item(relation, "UIDREF", concept)
    item.UID = uid
    return item


def _coded(relation: str, concept: Dataset, value: Dataset) -> Dataset:
    item = _item(relation, "CODE", concept)
    item.ConceptCodeSequence = [value]
    return item


def _code(value: str, scheme: str, meaning: str) -> Dataset:
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = value, scheme, meaning[:64]
    return code


def _label(value: str, meaning: str) -> Dataset:
    """Return a code of our own: labels are the models', and no terminology has them."""
    short = value.upper() if len(value) <= 16 else hashlib.sha256(value.encode()).hexdigest()[:16].upper()
    return _code(short, _OURS, meaning)


def _evidence(film: Dataset, instances: list[tuple[str, str]]) -> Dataset:
    series = Dataset()
    series.SeriesInstanceUID = film.SeriesInstanceUID
    series.ReferencedSOPSequence = [_reference(*one) for one in instances]
    study = Dataset()
    study.StudyInstanceUID, study.ReferencedSeriesSequence = film.StudyInstanceUID, [series]
    return study


def _reference(sop_class: str, instance: str) -> Dataset:
    one = Dataset()
    one.ReferencedSOPClassUID, one.ReferencedSOPInstanceUID = sop_class, instance
    return one


def _uid(told: list[Any]) -> str:
    """Return a UID that follows from what is told, in the form of a UUID. Source: DICOM PS3.5, annex B.2."""
    digest = hashlib.sha256(json.dumps(told, sort_keys=True).encode()).digest()
    return f"2.25.{int.from_bytes(digest[:16], 'big')}"
