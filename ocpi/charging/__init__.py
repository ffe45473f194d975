"""From transactions to what OCPI knows of them: sessions, their metered time and energy, CDRs."""
