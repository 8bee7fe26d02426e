"""What operators ask and do. So far: whether a server is fit for jobs."""
