"""What happens to a saga whose execution died, or ended with something parked: the guardian, and the recovery."""
