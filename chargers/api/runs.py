"""`/runs`: spans of the log under a name, and what is different from one to another."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from chargers.api.examples import CHARGER_ID, LOCATION_ID
from chargers.api.filters import RunFilter
from chargers.api.run_serializers import (
    RunCreateSerializer,
    RunDetailSerializer,
    RunDiffQuerySerializer,
    RunDiffSerializer,
    RunFinishSerializer,
    RunSerializer,
    RunUpdateSerializer,
    diff_answer,
    run_detail,
    run_summary,
)
from chargers.models import Run
from chargers.services import runs
from chargers.services.run_diff import Terms, diff
from locations.services import named_location
from ocpplab.api.validation import validated, without_nulls
from tenants.viewsets import TenantViewSet

RUNS = ["Runs"]
BEGUN = OpenApiExample(
    "a charger, from now on", {"name": "nightly 2026-04-02", "charger_ids": [CHARGER_ID]}, request_only=True
)
PAST = OpenApiExample(
    "a location, a span that is over",
    {
        "name": "golden",
        "location_id": LOCATION_ID,
        "started_at": "2026-04-02T09:00:00Z",
        "finished_at": "2026-04-02T09:30:00Z",
        "is_baseline": True,
    },
    request_only=True,
)


class RunViewSet(TenantViewSet):
    serializer_class = RunSerializer
    filterset_class = RunFilter
    further_codes = {"finish": ("409",), "diff": ("400", "409")}

    def get_queryset(self) -> QuerySet[Run]:
        return Run.objects.order_by("created_at", "id")

    @extend_schema(operation_id="list_runs", summary="List runs", description="Oldest first.", tags=RUNS)
    def list(self, request: Request) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset())) or []
        return self.get_paginated_response([run_summary(run) for run in page])

    @extend_schema(
        operation_id="create_run",
        summary="Begin a run, or name a span that is over",
        description="Of some chargers or of those that a location has now. With `finished_at` it is kept at once.",
        tags=RUNS,
        request=RunCreateSerializer,
        examples=[BEGUN, PAST],
        responses={201: RunDetailSerializer},
    )
    def create(self, request: Request) -> Response:
        wanted: dict[str, Any] = without_nulls(validated(RunCreateSerializer, request.data))
        if "location_id" in wanted:
            members: dict[str, Any] = {"location": named_location(wanted.pop("location_id"))}
        else:
            members = {"chargers": runs.chargers_named(wanted.pop("charger_ids"))}
        return Response(run_detail(runs.begin_run(**members, **wanted)), status=201)

    @extend_schema(operation_id="get_run", summary="Get a run", tags=RUNS, responses={200: RunDetailSerializer})
    def retrieve(self, request: Request, run_id: str) -> Response:
        return Response(run_detail(runs.find_run(run_id)))

    @extend_schema(
        operation_id="update_run",
        summary="Rename a run, or mark it as baseline",
        description="Only what is sent changes.",
        tags=RUNS,
        request=RunUpdateSerializer,
        examples=[OpenApiExample("mark it", {"is_baseline": True}, request_only=True)],
        responses={200: RunDetailSerializer},
    )
    def update(self, request: Request, run_id: str) -> Response:
        run = runs.find_run(run_id)
        return Response(run_detail(runs.update_run(run, **validated(RunUpdateSerializer, request.data))))

    @extend_schema(
        operation_id="finish_run",
        summary="End a run and keep its frames",
        description="From then on the run can be compared, also when the log has long forgotten its frames. Answers "
        "when the last frames are in, which takes a second where the run ends now.",
        tags=RUNS,
        request=RunFinishSerializer,
        responses={200: RunDetailSerializer},
    )
    def finish(self, request: Request, run_id: str) -> Response:
        run = runs.find_run(run_id)
        wanted = validated(RunFinishSerializer, request.data)
        return Response(run_detail(runs.finish_run(run, wanted.get("finished_at"))))

    @extend_schema(
        operation_id="delete_run",
        summary="Delete a run with what it keeps",
        description="The log stays as it is.",
        tags=RUNS,
        responses={204: None},
    )
    def destroy(self, request: Request, run_id: str) -> Response:
        runs.delete_run(runs.find_run(run_id))
        return Response(status=204)

    @extend_schema(
        operation_id="diff_run",
        summary="What is different from the baseline",
        description="Chargers are matched by identity, and the rest by position if they are equally many. Message "
        "ids, times, ids of transactions and the like do not count; measured values may differ by `tolerance` "
        "percent, and energy registers are told from their first reading in the run on.",
        tags=RUNS,
        parameters=[RunDiffQuerySerializer],
        responses={200: RunDiffSerializer},
        filters=False,
    )
    def diff(self, request: Request, run_id: str) -> Response:
        run = runs.find_run(run_id)
        query = validated(RunDiffQuerySerializer, request.query_params.dict(), where="query")
        baseline = runs.named_run(query["baseline"]) if "baseline" in query else runs.default_baseline(run)
        terms = Terms.worded(query["tolerance"], query.get("ignore", ""))
        found = diff(runs.finished(run), runs.finished(baseline), terms)
        return Response(diff_answer(run, baseline, terms, found, query["limit"]))
