"""Several worker processes under one parent: started again, recycled, reloaded."""
