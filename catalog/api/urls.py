"""The catalog's routes; every route family of the gateway includes them."""

from django.urls import URLPattern, path

from catalog.api.views import BrandList, BrandModelDetail, BrandModelList

urlpatterns: list[URLPattern] = [
    path("catalog/brands", BrandList.as_view(), name="catalog-brands"),
    path("catalog/brands/<slug:brand_slug>/models", BrandModelList.as_view(), name="catalog-models"),
    path("catalog/brands/<slug:brand_slug>/models/<slug:model_slug>", BrandModelDetail.as_view(), name="catalog-model"),
]
