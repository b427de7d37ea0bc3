"""The embedded cluster held against recordings of a real Kubernetes v1.36."""
