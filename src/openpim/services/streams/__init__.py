"""Acts about the destinations of the audit history: setting them, and sending to them."""
