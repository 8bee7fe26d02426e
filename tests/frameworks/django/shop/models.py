"""What the shop keeps."""

from django.db import models


class Order(models.Model):
    """An order."""

    number = models.IntegerField()

    class Meta:
        """Where it belongs."""

        app_label = "shop"
