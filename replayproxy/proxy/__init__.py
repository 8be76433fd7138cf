"""The proxy itself: moves bytes between client, upstream and store, and obeys what `core/` decides."""
