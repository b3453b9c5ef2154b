"""The path of a study, the queue and the inference backends."""
