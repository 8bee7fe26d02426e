"""Where a container or a load balancer asks for the health of a worker: `--health-port`."""
