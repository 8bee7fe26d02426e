"""An order is taken at once, and its receipt sent when it is committed."""

from functools import partial

from django.db import transaction
from django.http import HttpRequest, JsonResponse
from django.tasks import TaskResultStatus, default_task_backend
from django.urls import path

from examples.django_shop.tasks import charge, send_receipt


@transaction.atomic
def order(request: HttpRequest, number: int) -> JsonResponse:
    transaction.on_commit(partial(send_receipt.enqueue, number, to="ada@example.org"))
    return JsonResponse({"order": number}, status=202)


async def pay(request: HttpRequest, number: int) -> JsonResponse:
    result = await charge.aenqueue(number)
    return JsonResponse({"id": result.id}, status=202)


async def status(request: HttpRequest, result_id: str) -> JsonResponse:
    result = await default_task_backend.aget_result(result_id)
    value = result.return_value if result.status == TaskResultStatus.SUCCESSFUL else None
    return JsonResponse({"status": result.status, "value": value})


urlpatterns = [
    path("orders/<int:number>", order),
    path("payments/<int:number>", pay),
    path("tasks/<str:result_id>", status),
]
