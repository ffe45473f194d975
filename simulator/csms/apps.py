from django.apps import AppConfig


class CsmsConfig(AppConfig):
    name = "simulator.csms"
    label = "csms"
    verbose_name = "House CSMS"

    def ready(self) -> None:
        from chargers import back_office
        from simulator.csms.back_office import HouseOffice

        back_office.serve(HouseOffice())
