"""What happens at an outlet, in no words of OCPP: cable, vehicle, energy, faults."""
