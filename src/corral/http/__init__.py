"""The admin API: resources over HTTP for every verb of the admin, as an ASGI application that mounts anywhere.

A request passes the `gate` (who is it?), reaches a route of the module named after its resource, which asks the `desk`,
and every error leaves as a problem document (`problem`).
"""
