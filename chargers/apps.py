from django.apps import AppConfig


class ChargersConfig(AppConfig):
    name = "chargers"

    def ready(self) -> None:
        from chargers import receivers  # noqa: F401
