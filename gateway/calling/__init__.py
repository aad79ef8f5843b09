"""Calls a PACS: by DICOMweb and by DICOM; the only room with the libraries for it."""
