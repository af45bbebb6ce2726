"""What `FanOutTopic` is made of."""
