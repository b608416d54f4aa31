"""Objects in S3, Google Cloud Storage, Azure and what obstore knows besides."""
