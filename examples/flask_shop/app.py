"""A Flask application that enqueues: `gunicorn -w 4 'examples.flask_shop.app:create_app()'` serves it."""

from typing import Any

from flask import Flask, current_app

from corral import CorralError, InvalidJobId, InvalidPayload, QueueFull, ServerUnavailable, SyncClient
from examples.email.tasks import EmailTasks, PasswordReset


class Corral:
    """An extension as Flask has them: made once, bound to each application by `init_app`."""

    def init_app(self, app: Flask) -> None:
        # Connects at its first use, in each process for itself: safe with `gunicorn --preload`, which forks afterwards.
        app.extensions["corral"] = SyncClient(
            app.config.get("REDIS_URL"), prefix=app.config.get("CORRAL_PREFIX")
        )
        app.register_error_handler(ServerUnavailable, self._come_back)
        app.register_error_handler(QueueFull, self._come_back)
        app.register_error_handler(InvalidPayload, self._invalid)
        app.register_error_handler(InvalidJobId, self._invalid)

    @property
    def client(self) -> SyncClient:
        client: SyncClient = current_app.extensions["corral"]
        return client

    def _come_back(self, error: CorralError) -> tuple[dict[str, str], int, dict[str, str]]:
        current_app.logger.warning("Request turned away: %s", error)
        return {"error": "try again later"}, 503, {"Retry-After": "5"}

    def _invalid(self, error: CorralError) -> tuple[dict[str, str], int]:
        return {"error": str(error)}, 422


corral = Corral()


def create_app(**config: Any) -> Flask:
    app = Flask(__name__)
    app.config.from_prefixed_env()  # FLASK_REDIS_URL
    app.config.update(config)
    corral.init_app(app)

    @app.post("/resets/<address>")
    def reset(address: str) -> tuple[dict[str, str], int]:
        job = EmailTasks.send_reset.enqueue(corral.client, PasswordReset(to_email=address))
        return {"job": job.id}, 202

    @app.get("/jobs/<job_id>")
    def status(job_id: str) -> tuple[dict[str, Any], int]:
        job = corral.client.queue("email").get(job_id)
        if job is None:
            return {"error": "no such job"}, 404
        return {"state": job.state, "result": job.returnvalue, "reason": job.failed_reason}, 200

    return app
