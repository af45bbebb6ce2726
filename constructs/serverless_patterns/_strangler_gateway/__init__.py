"""What `StranglerGateway` is made of: stages that become routes of an API, and the functions behind them."""
