"""The words that archives use for a frontal chest film, and for other body parts, views and modalities.

Body part and view are free in the field: archives hold PORT CHEST, TORAX, AP_ERECT. A word that is in neither list
settles nothing, and the model's gate decides. Whole words are looked for; capitals and signs between words do not
count.
"""

from __future__ import annotations

import re
from itertools import pairwise

from wetread.imaging.dicom.codes import BODY_PARTS, MODALITIES, VIEWS

_SIGNS = re.compile(r"[^0-9A-Z]+")

FILM_MODALITIES = frozenset(["CR", "DX", "DR", "RG", "RF", "OT"])
"""Radiographs, and what such films are stored under: the older DR and RG, fluoroscopy's exposures, captures."""
OTHER_MODALITIES = MODALITIES - FILM_MODALITIES

CHEST = frozenset(
    [
        "CHEST",
        "CHESTPA",
        "CHESTAP",
        "THORAX",
        "TORAX",
        "THORACIC",
        "TORACE",
        "TORAKS",
        "LUNG",
        "LUNGS",
        "LUNGE",
        "LUNGEN",
        "PULMON",
        "PULMONES",
        "POUMON",
        "POUMONS",
        "POLMONE",
        "POLMONI",
        "CXR",
        "RXT",
    ]
)
_OTHER_PARTS = """
ABD ABDOMINAL ABDOMEN BREAST CERVICAL COCCYX DENTAL EXTREMITIES EXTREMITY HIPS KNEES KUB LUMBAR MAMMA MANDIBLE MANO
HANDS FEET ORBIT PELVIC RIBCAGE SACRAL SINUS SINUSES TIBIA FIBULA RADIUS ULNA TOES FINGERS SKULL SPINAL COLUMNA BECKEN
BASSIN PELVE BACINO KNIE GENOU RODILLA GINOCCHIO HANDGELENK POIGNET POLSO MUNECA FUSS PIED PIEDE SCHULTER EPAULE
HOMBRO SPALLA SCHAEDEL CRANE CRANEO CRANIO WIRBELSAEULE RACHIS COLONNA ABDOME ADDOME BAUCH CADERA HUEFTE HANCHE ANCA
"""
OTHER_PARTS = (BODY_PARTS | frozenset(_OTHER_PARTS.split())) - CHEST - {"CHESTABDOMEN", "HEART", "WHOLEBODY"}

FRONTAL = frozenset(
    [
        "AP",
        "PA",
        "POSTEROANTERIOR",
        "ANTEROPOSTERIOR",
        "FRONTAL",
        "FRONTALE",
        "FACE",
        "FRENTE",
        "DORSOVENTRAL",
        "VENTRODORSAL",
        "APPA",
        "PAAP",
    ]
)
_FRONTAL_PHRASES = (
    ("POSTERO", "ANTERIOR"),
    ("POSTERIOR", "ANTERIOR"),
    ("ANTERO", "POSTERIOR"),
    ("ANTERIOR", "POSTERIOR"),
)
_OTHER_VIEWS = """
LATERALE LATERALES LATERO LLAT RLAT LATL LATR LATEROLATERAL SEITLICH PROFIL PROFILO PERFIL LATERALIS OBL OBLIQUO
SCHRAEG RAO LAO RPO LPO DECUB DECUBITUS SWIMMERS
"""
OTHER_VIEWS = (VIEWS | frozenset(_OTHER_VIEWS.split())) - FRONTAL


def spelled(text: str) -> str:
    """Return a text in capitals with one space between its words, signs left out."""
    return " ".join(_SIGNS.sub(" ", text.upper()).split())


def other_modality(text: str) -> str | None:
    """Return the code that says that the image is not a radiograph, or None."""
    code = spelled(text)
    return code if code in OTHER_MODALITIES else None


def other_part(text: str) -> str | None:
    """Return the word that names another part of the body; None where none does, or the chest is named too."""
    words = spelled(text).split()
    if any(word in CHEST for word in words):
        return None
    return next((word for word in words if word in OTHER_PARTS), None)


def other_view(text: str) -> str | None:
    """Return the word that names a view from another side; None where none does, or a frontal one is named too."""
    words = spelled(text).split()
    pairs = set(pairwise(words))
    if any(word in FRONTAL for word in words) or any(phrase in pairs for phrase in _FRONTAL_PHRASES):
        return None
    return next((word for word in words if word in OTHER_VIEWS), None)
