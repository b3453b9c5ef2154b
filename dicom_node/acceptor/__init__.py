"""The DICOM upper layer as an acceptor (PS3.8): one event loop, and a limit on everything."""
