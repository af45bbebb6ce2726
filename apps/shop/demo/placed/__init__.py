"""Orders from a marketplace: told of to three departments at once, whatever happens to one of them."""
