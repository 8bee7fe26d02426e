"""The evening of the shop: what `make demo` shows, with real mail, real payments, real webhooks.

`stage` starts API, worker and the world outside, each as it would run in earnest; `story` sends requests, and `telling`
follows them to their ends; `checks` looks up what arrived where it should have arrived; `screen` shows it; `program` is
the whole evening. A copy of the shop does without this folder.
"""
