"""The product: the gateway between departments, its policy, its log and its faces."""
