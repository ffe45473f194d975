from django.apps import AppConfig


class OcpplabConfig(AppConfig):
    name = "ocpplab"
    verbose_name = "OCPPLAB Gateway"

    def ready(self) -> None:
        from ocpplab import checks  # noqa: F401 (registers itself)
