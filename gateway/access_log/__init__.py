"""The access log: who got what and why, durable before the fact, provable after it."""
