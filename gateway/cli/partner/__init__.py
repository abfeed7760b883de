"""Keys, certificates, trust and identities of an installation: who may ask, and whom to believe."""
