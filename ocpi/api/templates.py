"""`/ocpi/templates/cpos`: for every valid token, without an organization in scope."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from ocpi.api.cpo_serializers import CpoTemplatesSerializer, template
from ocpi.presets.seeding import gallery


class CpoTemplateList(APIView):
    operation_name = "list_cpo_templates"

    @extend_schema(
        summary="What CPOs can be built from",
        description="The newest version of each, with its size before overrides.",
        tags=["OCPI"],
        responses={200: CpoTemplatesSerializer},
    )
    def get(self, request: Request) -> Response:
        found = [template(preset) for preset in gallery()]
        return Response({"data": found, "total": len(found)})
