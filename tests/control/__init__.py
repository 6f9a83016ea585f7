"""The operator's side of the control plane, against a real database and a real book."""
