"""The world outside of the shop, on this machine: a mail server, a payment provider, and a partner who takes webhooks.

For tests, and for development: `python -m outside` runs all of it and prints what arrives.
"""
