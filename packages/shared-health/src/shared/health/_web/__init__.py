"""What a probe answers, as text and as applications."""
