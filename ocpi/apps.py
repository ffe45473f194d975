from django.apps import AppConfig


class OcpiConfig(AppConfig):
    name = "ocpi"
    verbose_name = "OCPI"

    def ready(self) -> None:
        from chargers import back_office
        from ocpi import authorizing, receivers  # noqa: F401

        back_office.add_authorizer(authorizing.judge)
        from ocpi.peer import links
        from ocpi.protocol import envelope
        from ocpplab.api import dialects

        dialects.register(links.PREFIX, envelope.refused)
