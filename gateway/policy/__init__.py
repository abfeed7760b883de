"""Documents become decisions: what one agreement grants, field by field; errors can only close."""
