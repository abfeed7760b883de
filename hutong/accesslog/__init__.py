"""Wire types of receipts and proofs."""
