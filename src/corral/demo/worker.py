"""The worker: `corral worker corral.demo.worker:worker`. Each task set is given its handlers; forget one, and the type
checker says so."""

from __future__ import annotations

from corral import InProcess, InThread, Serve, Worker
from corral.demo.contract import CleanupTasks, EmailTasks, PartnerTasks, PhotoTasks
from corral.demo.mailer import Mailer
from corral.demo.partner import PartnerApi
from corral.demo.photos import resize_photo
from corral.demo.sessions import Sessions
from corral.demo.settings import Settings

settings = Settings.from_environment()
mailer = Mailer("127.0.0.1", settings.smtp_port)
sessions = Sessions(settings.database)
partners = PartnerApi()

worker = Worker(
    EmailTasks(welcome=InThread(mailer.send_welcome), reminder=InThread(mailer.send_reminder)),
    CleanupTasks(expired_sessions=InThread(sessions.delete_expired)),
    Serve(PhotoTasks(resize=InProcess(resize_photo)), concurrency=2),
    PartnerTasks(announce=partners.announce),
    lifespan=partners.connected,
)
