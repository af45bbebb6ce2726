"""Routes of a monolith that move to a new side, a share of their callers at a time.

The router has an HTTP reader and a signer of its own: a client of AWS's SDK is most of a cold start (decision 0032),
and the standard library's reader takes answers that two readers understand differently (`wire`).
"""
