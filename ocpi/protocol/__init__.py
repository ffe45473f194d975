"""OCPI itself: its envelope and objects, each version's words, and calls to a peer."""
