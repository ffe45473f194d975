"""The Celery application. Jobs' rows are the truth; a Celery message only wakes a worker."""

import os

from celery import Celery

from chargers import worker as jobs
from ocpi import worker as ocpi
from simulator import worker as simulator

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ocpplab.settings")
app = Celery("ocpplab")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
simulator.install(app)
jobs.install(app)
ocpi.install(app)
