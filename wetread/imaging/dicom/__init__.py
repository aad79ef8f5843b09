"""DICOM films: the file, its header, its codecs, and what a viewer would show of it."""
