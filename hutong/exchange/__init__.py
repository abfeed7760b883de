"""Wire types of the exchange of person data."""
