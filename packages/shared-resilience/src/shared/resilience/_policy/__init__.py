"""What a policy is, and what is common to all."""
