"""Notifications: one message to chats, phones and pagers, each reached once."""

from corral.tasks.notifications.contract import Device, NotificationTasks, Push, Pushed
from corral.tasks.notifications.notifier import Notifier
from corral.tasks.notifications.service import Service, UrlService

__all__ = ["Device", "NotificationTasks", "Notifier", "Push", "Pushed", "Service", "UrlService"]
