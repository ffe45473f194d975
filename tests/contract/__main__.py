"""Writes docs/ocpp-1.6.md anew."""

from tests.contract import proofs

if __name__ == "__main__":
    proofs.PAGE.write_text(proofs.page(proofs.collected()))
