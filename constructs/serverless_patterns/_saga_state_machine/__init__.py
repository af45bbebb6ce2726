"""What `SagaStateMachine` is made of: its steps in order, their checks, the definition, and the functions behind it."""
