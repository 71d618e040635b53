"""The API of the KubeCoin exchange."""
