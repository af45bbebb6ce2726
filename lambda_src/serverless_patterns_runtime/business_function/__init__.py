"""The user's plain function: found by name, called with what it asks for."""
