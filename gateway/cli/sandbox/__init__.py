"""The whole world on loopback: authority, departments, gateway, partners."""
