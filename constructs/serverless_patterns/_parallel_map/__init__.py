"""What `ParallelMap` is made of: its checks, the two definitions, and the functions behind them."""
