"""Behind an API: one request in, one answer out, and a key that means once."""
