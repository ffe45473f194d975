"""What became of a charger's commands (gateway contract, section 19)."""

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from chargers.api.command_serializers import CommandRowSerializer
from chargers.api.filters import CommandFilter
from chargers.models import ChargerCommand
from chargers.services.lookup import find_charger
from ocpplab.api.errors import NotFound
from tenants.viewsets import TenantViewSet

COMMANDS = ["Commands"]


class CommandHistoryViewSet(TenantViewSet):
    serializer_class = CommandRowSerializer
    filterset_class = CommandFilter

    def get_queryset(self) -> QuerySet[ChargerCommand]:
        charger = find_charger(self.kwargs["charger_id"])
        return ChargerCommand.objects.filter(charger=charger).order_by("created_at", "id")

    @extend_schema(
        operation_id="list_commands",
        summary="Commands of a charger and what became of them",
        description="Oldest first.",
        tags=COMMANDS,
    )
    def list(self, request: Request, charger_id: str) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(CommandRowSerializer(page, many=True).data)

    @extend_schema(
        operation_id="get_command",
        summary="What became of a command",
        description="It ends accepted only if the station did it; `frames` lists the log entries that prove it.",
        tags=COMMANDS,
    )
    def retrieve(self, request: Request, charger_id: str, command_id: str) -> Response:
        row = None if "\0" in command_id else self.get_queryset().filter(pk=command_id).first()
        if row is None:
            raise NotFound("Command")
        return Response(CommandRowSerializer(row).data)
