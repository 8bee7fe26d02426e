"""A Flask application in small."""
