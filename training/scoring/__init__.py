"""One case scored: structures, surfaces and lesions of a prediction beside its truth."""
