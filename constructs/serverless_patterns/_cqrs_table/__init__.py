"""What `CqrsTable` is made of: its write model, its projectors, what rebuilds its views, and those who read them."""
