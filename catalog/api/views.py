"""The catalog over REST: read-only, for every valid token, without an organization in scope."""

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.generics import ListAPIView, RetrieveAPIView
from rest_framework.request import Request

from catalog.api.serializers import BrandSerializer, ChargerModelSerializer, TraitsSerializer
from catalog.models import Brand, ChargerModel
from catalog.services import find_model
from ocpplab.api.errors import NotFound
from ocpplab.api.validation import validated


def wanted(request: Request) -> dict[str, str]:
    """The traits asked for in the query. Raises Invalid (422) for a word outside the catalog's lists."""
    # A plain dictionary: of a form's data REST framework would quietly skip an empty value.
    traits: dict[str, str] = validated(TraitsSerializer, request.query_params.dict(), where="query")
    return traits


@extend_schema(
    tags=["Catalog"],
    summary="List brands",
    description="With filters: the brands that have at least one such model.",
    parameters=[TraitsSerializer],
)
class BrandList(ListAPIView[Brand]):
    """Brands, oldest first. With filters: the brands that have at least one such model."""

    operation_name = "list_brands"
    serializer_class = BrandSerializer
    queryset = Brand.objects.none()

    def get_queryset(self) -> QuerySet[Brand]:
        return Brand.objects.with_model(**wanted(self.request))


@extend_schema(tags=["Catalog"], summary="List the models of a brand", parameters=[TraitsSerializer])
class BrandModelList(ListAPIView[ChargerModel]):
    """The models of one brand, oldest first."""

    operation_name = "list_models"
    serializer_class = ChargerModelSerializer
    queryset = ChargerModel.objects.none()

    def get_queryset(self) -> QuerySet[ChargerModel]:
        brand = Brand.objects.filter(slug=self.kwargs["brand_slug"]).first()
        if brand is None:
            raise NotFound("Brand")
        return ChargerModel.objects.offering(**wanted(self.request)).filter(brand=brand).select_related("brand")


@extend_schema(
    tags=["Catalog"],
    summary="Get a model",
    description="With its connectors, power levels and the OCPP versions it speaks.",
)
class BrandModelDetail(RetrieveAPIView[ChargerModel]):
    """One model."""

    operation_name = "get_model"
    serializer_class = ChargerModelSerializer
    queryset = ChargerModel.objects.none()

    def get_object(self) -> ChargerModel:
        model = find_model(self.kwargs["brand_slug"], self.kwargs["model_slug"])
        if model is None:
            raise NotFound("Model")
        return model
