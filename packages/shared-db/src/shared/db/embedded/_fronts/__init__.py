"""What the child processes of ClickHouse and Qdrant run."""
