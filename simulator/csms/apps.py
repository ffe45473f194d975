from django.apps import AppConfig


class CsmsConfig(AppConfig):
    name = "simulator.csms"
    label = "csms"
    verbose_name = "House CSMS"
