"""The list of datasets and the generator of the sandbox catalog."""
