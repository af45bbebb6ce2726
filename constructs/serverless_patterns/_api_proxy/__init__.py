"""What `ApiProxy` is made of: routes, schemas, guards, and what a route becomes for each kind of target.

Another construct knows `queue_target` and its likes only: how it is a target itself.
"""
