"""An entrance: films that come over the network, by DICOM, and readings that go back."""
