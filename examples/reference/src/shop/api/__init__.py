"""The API: requests become calls of services, and jobs where something takes its time. It answers at once."""
