"""Weights of networks: read as untrusted files, or fetched once from where they are published."""
