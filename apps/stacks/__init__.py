"""What the stacks of all apps have in common: who is told of alarms, what is kept, how decisions are written down."""
