"""The embedded cluster: a small Kubernetes in one process, for a machine without a container engine.

A teaching and test double. It keeps the API's promises and isolates nothing: a Pod's container is a
process of this user. Its modules carry Kubernetes' own names.
"""
