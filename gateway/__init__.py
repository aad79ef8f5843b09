"""An entrance: films that come over the network, by DICOM."""
