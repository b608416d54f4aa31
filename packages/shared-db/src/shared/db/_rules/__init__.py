"""What both colours share: each driver's rules, arguments and formats."""
