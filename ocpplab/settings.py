"""Settings of the gateway, all of them readable from the environment.

Two shapes of one product: embedded (SQLite, a broker on the file system, nothing to install) and grown (PostgreSQL
and Redis). `DATABASE_URL` and `REDIS_URL` are the only difference.
"""

import os
import secrets
from pathlib import Path
from typing import Any

import environ
from django.db.models import JSONField

# Annotations name the type of a JSON column; Django's class takes no subscript when the program runs.
JSONField.__class_getitem__ = classmethod(lambda cls, *_: cls)  # type: ignore[attr-defined]

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
env.ENVIRON = {name: value for name, value in os.environ.items() if value}  # an empty one counts as absent

DATA_DIR = Path(env.str("DATA_DIR", default=str(BASE_DIR / "data"))).resolve()
BIND_HOST = env.str("BIND_HOST", default="127.0.0.1")  # not HOST: some shells export that as the machine's name
PORT = env.int("PORT", default=8000)
PUBLIC_URL: str = env.str("PUBLIC_URL", default=f"http://127.0.0.1:{PORT}").rstrip("/")
DEBUG = env.bool("DEBUG", default=False)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["*"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[PUBLIC_URL])


def secret_key() -> str:
    """The key from SECRET_KEY, else the one this data folder was born with (mode 0600)."""
    given: str = env.str("SECRET_KEY", default="")
    if given:
        return given
    path = DATA_DIR / "secret-key"
    if path.exists() and (kept := path.read_text().strip()):
        return kept
    DATA_DIR.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(f".{os.getpid()}")
    fresh.touch(mode=0o600)
    fresh.write_text(secrets.token_urlsafe(48))
    fresh.replace(path)  # whole or not at all: half a key would open nothing
    return path.read_text()


SECRET_KEY = secret_key()
# Seal passwords and private keys in the database: the first one seals, all of them unseal.
SEALING_KEYS: list[str] = [*env.list("SEALING_KEYS", default=[]), SECRET_KEY]

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "channels",
    "ocpplab",
    "tenants",
    "catalog",
    "locations",
    "chargers",
    "simulator",
    "simulator.csms",
    "ocpi",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "ocpplab.api.bodies.BodyLimitMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "tenants.middleware.ActorMiddleware",
]

ROOT_URLCONF = "ocpplab.urls"
ASGI_APPLICATION = "ocpplab.asgi.application"
APPEND_SLASH = False
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# --- database -------------------------------------------------------------------------------------------------------


def database() -> dict[str, Any]:
    """SQLite in the data folder unless DATABASE_URL names another.

    Raises nothing; a wrong URL shows when Django connects. Writers take the lock at BEGIN (IMMEDIATE): a transaction
    that reads first and then writes could otherwise fail with "database is locked" whatever the busy timeout.
    """
    url = env.str("DATABASE_URL", default="") or f"sqlite:///{DATA_DIR / 'ocpplab.sqlite3'}"
    config: dict[str, Any] = env.db_url_config(url)
    if config["ENGINE"].endswith("sqlite3"):
        config["ENGINE"] = "ocpplab.sqlite3"
        config["OPTIONS"] = {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-20000;",
        }
        config["TEST"] = {"NAME": str(DATA_DIR / "test.sqlite3")}
    else:
        config["CONN_MAX_AGE"] = 60
        config["CONN_HEALTH_CHECKS"] = True
        config.setdefault("OPTIONS", {}).setdefault("connect_timeout", 5)  # s; a caller waits for it
    return config


DATABASES = {"default": database()}
is_embedded = DATABASES["default"]["ENGINE"] == "ocpplab.sqlite3"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "tenants.User"

# --- Redis or nothing -----------------------------------------------------------------------------------------------

REDIS_URL = env.str("REDIS_URL", default="")
CHANNEL_LAYERS: dict[str, Any] = {
    "default": (
        {
            "BACKEND": "channels_redis.core.RedisChannelLayer",
            # The layer waits on the server for 5 s at a time, as long as the client reads by default: an idle consumer
            # would lose that race and its WebSocket with it.
            "CONFIG": {"hosts": [{"address": REDIS_URL, "socket_timeout": None}]},
        }
        if REDIS_URL
        else {"BACKEND": "channels.layers.InMemoryChannelLayer"}
    )
}
CACHES: dict[str, Any] = {
    "default": (
        {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}
        if REDIS_URL
        else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
    )
}
CELERY_BROKER_URL = REDIS_URL or "filesystem://localhost"
CELERY_BROKER_TRANSPORT_OPTIONS = (
    {}
    if REDIS_URL
    else {
        "data_folder_in": str(DATA_DIR / "broker"),
        "data_folder_out": str(DATA_DIR / "broker"),
        "control_folder": str(DATA_DIR / "broker" / "control"),
    }
)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    "repair-simulator": {"task": "simulator.tasks.repair", "schedule": 15.0, "options": {"expires": 15}},
    "prune-messages": {"task": "chargers.tasks.prune_messages", "schedule": 24 * 3600.0},
    "prune-exchanges": {"task": "ocpi.tasks.prune_exchanges", "schedule": 24 * 3600.0},
    "prepare-partitions": {"task": "chargers.tasks.prepare_partitions", "schedule": 6 * 3600.0},
    "tend-bundles": {"task": "ocpi.tasks.tend_bundles", "schedule": 30.0, "options": {"expires": 30}},
    "run-orphaned-jobs": {"task": "chargers.tasks.run_orphaned_jobs", "schedule": 15.0, "options": {"expires": 15}},
}

# --- simulator ------------------------------------------------------------------------------------------------------

SIMULATOR_SHARDS = 64  # fixed for the life of a database: a charger's shard is stored with it
SIMULATORS = env.int("SIMULATORS", default=1)  # simulator processes under one supervisor
# On one machine a dead node is known by its spool's lock at once; a lease that lasts longer only means fewer renewals
# on a database with one writer at a time.
SIMULATOR_LEASE_SECONDS = env.float("SIMULATOR_LEASE_SECONDS", default=12.0 if is_embedded else 6.0)
SIMULATOR_CONNECTS_PER_SECOND = env.int("SIMULATOR_CONNECTS_PER_SECOND", default=200)
ALLOW_PRIVATE_CSMS = env.bool("ALLOW_PRIVATE_CSMS", default=True)
MESSAGE_RETENTION_DAYS = env.int("MESSAGE_RETENTION_DAYS", default=30)

# --- OCPI -----------------------------------------------------------------------------------------------------------

OCPI_ALLOW_PRIVATE_PEERS = env.bool("OCPI_ALLOW_PRIVATE_PEERS", default=True)
OCPI_REQUIRE_HTTPS = env.bool("OCPI_REQUIRE_HTTPS", default=False)  # of URLs that peers give
OCPI_PEER_SECONDS = env.float("OCPI_PEER_SECONDS", default=10.0)  # how long a request to a peer may take in all
OCPI_FAILED_AUTH_LIMIT = env.str("OCPI_FAILED_AUTH_LIMIT", default="300/minute")  # per address; empty: no limit

# --- API ------------------------------------------------------------------------------------------------------------

DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
LOG_FOLLOWERS = env.int("LOG_FOLLOWERS", default=64)  # at once in each web process; each looks twice a second
RATE_LIMIT = env.str("RATE_LIMIT", default="")  # requests per token, such as 600/minute; empty: no limit
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["tenants.authentication.BearerAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PARSER_CLASSES": ["ocpplab.api.bodies.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["ocpplab.api.bodies.SafeJSONRenderer"],
    "DEFAULT_PAGINATION_CLASS": "ocpplab.api.pagination.PageLimitPagination",
    "DEFAULT_THROTTLE_CLASSES": ["tenants.throttling.TokenThrottle"],
    "DEFAULT_SCHEMA_CLASS": "ocpplab.api.schema.GatewaySchema",
    "EXCEPTION_HANDLER": "ocpplab.api.errors.exception_handler",
    "UNAUTHENTICATED_USER": None,
    "DEFAULT_METADATA_CLASS": None,  # OPTIONS is 405: the schema stands at /openapi.json
    "DATETIME_FORMAT": "%Y-%m-%dT%H:%M:%S.%fZ",
    "COERCE_DECIMAL_TO_STRING": False,
    "URL_FORMAT_OVERRIDE": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "OCPPLAB Gateway",
    "DESCRIPTION": "A self-hosted lab of virtual EV chargers: create them, drive them, read every OCPP frame.",
    "VERSION": "0.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "/static/ocpplab/favicon.svg",
    "REDOC_DIST": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "SCHEMA_PATH_PREFIX": "/",
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "ocpplab.api.document.complete",
    ],
    "ENUM_NAME_OVERRIDES": {
        "OcppVersionEnum": "chargers.models.OcppVersion",
        "SubprotocolEnum": ["ocpp1.6", "ocpp2.0.1"],
        "ResetTypeEnum": ["Soft", "Hard"],
        "EvStateEnum": ["ready", "paused", "full", "fault"],
        "TokenTypeEnum": ["Central", "eMAID", "ISO14443", "ISO15693", "KeyCode", "Local", "MacAddress"],
        "FaultParameterTypeEnum": ["number", "integer", "boolean", "string", "choice"],
        "ConnectorTypeEnum": "catalog.vocabulary.ConnectorType",
        "LocationStatusEnum": "locations.models.LocationStatus",
        "ProvisioningStatusEnum": "chargers.models.ProvisioningStatus",
        "ConnectionStatusEnum": "chargers.models.ConnectionStatus",
        "CardStatusEnum": ["Accepted", "Blocked", "Expired", "Invalid"],
        "PriceDimensionEnum": "ocpi.vocabulary.DIMENSIONS",
        "TariffTypeEnum": "ocpi.vocabulary.TARIFF_TYPES",
        "RunStatusEnum": ["running", "finished"],
    },
}

# Bearer tokens: HS256 with a key id, so that a key can be rotated while tokens of the old one still live.
JWT_SIGNING_KEY_ID = env.str("JWT_SIGNING_KEY_ID", default="1")
JWT_KEYS: dict[str, str] = env.dict("JWT_KEYS", default={"1": SECRET_KEY})
JWT_CLAIM_ROLE = env.str("JWT_CLAIM_ROLE", default="role")
JWT_CLAIM_ORGANIZATION = env.str("JWT_CLAIM_ORGANIZATION", default="organization_id")

# --- web ------------------------------------------------------------------------------------------------------------

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True
FORMAT_MODULE_PATH = "ocpplab.formats"
STATIC_URL = "/static/"
STATICFILES_DIRS = [("pictures", BASE_DIR / "docs" / "pictures")]
WHITENOISE_USE_FINDERS = True  # no collectstatic step between a clone and a first run, hence no STATIC_ROOT either
LOGIN_URL = "/admin/login/"
LOGIN_REDIRECT_URL = "/admin/"  # the login page is a bookmark, too, and then names no place to go on to
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
HTTPS = PUBLIC_URL.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_SSL_REDIRECT = False
SECURE_HSTS_SECONDS = 3600 if HTTPS else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if env.bool("TRUST_PROXY", default=False) else None
# Plain http on a loopback address is the normal way to run a lab: the warnings below would only ask for TLS.
SILENCED_SYSTEM_CHECKS = [] if HTTPS else ["security.W004", "security.W008", "security.W012", "security.W016"]

UNFOLD = {
    "SITE_TITLE": "OCPPLAB Gateway",
    "SITE_HEADER": "OCPPLAB Gateway",
    "SITE_URL": "/",
    "SITE_SYMBOL": "ev_station",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": "/static/ocpplab/favicon.svg"}],
    "STYLES": ["/static/ocpplab/admin.css"],
    "COLORS": {
        "primary": {
            "50": "oklch(97.5% .015 195)",
            "100": "oklch(94% .035 195)",
            "200": "oklch(89% .06 195)",
            "300": "oklch(82% .09 195)",
            "400": "oklch(72% .11 195)",
            "500": "oklch(61% .105 195)",
            "600": "oklch(50% .09 195)",
            "700": "oklch(44% .078 195)",
            "800": "oklch(38% .066 195)",
            "900": "oklch(33% .055 195)",
            "950": "oklch(25% .04 195)",
        }
    },
    "SHOW_VIEW_ON_SITE": False,
    "SIDEBAR": {"show_search": True, "navigation": "ocpplab.sidebar.navigation"},
}

LOG_LEVEL = env.str("LOG_LEVEL", default="INFO")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "ocpplab.logs.formatter"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    "loggers": {
        # A refused request is an answer and no trouble of ours; what failed is logged as an error.
        "django.request": {"level": "ERROR"},
        **{name: {"level": "WARNING"} for name in ("celery", "daphne", "kombu", "twisted", "websockets")},
    },
}
