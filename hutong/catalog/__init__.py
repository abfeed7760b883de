"""Wire types of datasets and agreements."""
