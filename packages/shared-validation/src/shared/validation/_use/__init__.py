"""What users do with validators."""
