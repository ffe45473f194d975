"""Whether the gateway works: database, broker, simulator. Every value is a string (gateway contract, section 4)."""

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from redis import Redis, RedisError
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from simulator.models import Node

FRESH = timedelta(seconds=10)
OK, DOWN, ABSENT = "ok", "down", "absent"


class HealthSerializer(serializers.Serializer[Any]):
    status = serializers.CharField(help_text="ok, degraded, down")
    database = serializers.CharField(help_text="ok, down")
    broker = serializers.CharField(help_text="ok, down")
    simulator = serializers.CharField(help_text="ok, absent, unknown, or what troubles a node")
    simulator_nodes = serializers.CharField()
    chargers_running = serializers.CharField()


class HealthView(APIView):
    http_method_names = ["get", "head"]
    authentication_classes = ()
    permission_classes = ()

    @extend_schema(
        operation_id="health",
        summary="Whether the gateway works",
        tags=["Health"],
        responses={200: HealthSerializer, 503: HealthSerializer},
    )
    def get(self, request: Request) -> Response:
        report = health()
        return Response(report, status=503 if report["database"] == DOWN else 200)


def health() -> dict[str, str]:
    try:
        metrics = list(Node.objects.filter(seen_at__gte=timezone.now() - FRESH).values_list("metrics", flat=True))
        database = OK
    except (DatabaseError, InterfaceError):
        metrics, database = [], DOWN
    broker = OK if broker_answers() else DOWN
    trouble = next((str(one.get("reason")) for one in metrics if one.get("healthy") is False), "")
    simulator = "unknown" if database == DOWN else trouble or OK if metrics else ABSENT
    return {
        "status": DOWN if database == DOWN else OK if (broker, simulator) == (OK, OK) else "degraded",
        "database": database,
        "broker": broker,
        "simulator": simulator,
        "simulator_nodes": str(len(metrics)),
        "chargers_running": str(sum(one.get("chargers", 0) for one in metrics)),
    }


def broker_answers() -> bool:
    """The embedded broker is a folder: it works when it can be written to."""
    if not settings.REDIS_URL:
        folder = Path(settings.CELERY_BROKER_TRANSPORT_OPTIONS["data_folder_in"])
        return os.access(folder, os.W_OK)
    try:
        with Redis.from_url(settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1) as client:
            return bool(client.ping())
    except (RedisError, OSError):
        return False
