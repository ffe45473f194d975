from django.apps import AppConfig


class OcpplabConfig(AppConfig):
    name = "ocpplab"
    verbose_name = "OCPPLAB Gateway"

    def ready(self) -> None:
        from ocpplab import (
            celery,  # noqa: F401 (tasks sent from this process go to our broker)
            checks,  # noqa: F401 (registers itself)
        )
