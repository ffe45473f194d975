"""What peers are told unasked: an outbox of rows, and the pusher that empties it (OCPI contract, section 13)."""
