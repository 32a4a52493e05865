# SPDX-License-Identifier: GPL-3.0-or-later
"""Django's settings, from the register's own: register.toml. What is not said here is Django's default."""

from __future__ import annotations

from pathlib import Path

from .config import of_environment
from .log_in import ldap_settings

FACILITY = of_environment()
_HERE = Path(__file__).parent

DEBUG = False
SECRET_KEY = FACILITY.secret_key_file.read_text(encoding="utf-8").strip()
ALLOWED_HOSTS = list(FACILITY.hosts)
ROOT_URLCONF = "facility.register.urls"
WSGI_APPLICATION = "facility.register.wsgi.application"
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "facility.register",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "facility.register.headers.ContentSecurityPolicy",
    "facility.register.headers.WholeRequest",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "facility.register.log_in.StillAllowed",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [_HERE / "templates"],
        "OPTIONS": {
            "builtins": ["facility.register.marks"],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "facility.register.log_in.roles",
            ],
        },
    }
]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": FACILITY.database,
        # One connection a process: opening it anew for each page costs a tenth of the page.
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            # With SQLite's default, a transaction that reads before it writes fails at once when another one wrote.
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;",
        },
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch")]
LOCALE_PATHS = [FACILITY.locale_folder]
USE_TZ = True
TIME_ZONE = "UTC"

STATIC_URL = "static/"
STATIC_ROOT = FACILITY.static_folder

# The web server on the same host ends TLS, and nothing else reaches the application.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
SESSION_COOKIE_AGE = 8 * 3600
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_COOKIE_NAME = "__Host-register"
CSRF_COOKIE_NAME = "__Host-csrf"
SECURE_HSTS_SECONDS = 31536000
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000_000
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000
DATA_UPLOAD_MAX_NUMBER_FILES = 1

LOGIN_URL = "log-in"
LOGIN_REDIRECT_URL = "start"
LOGOUT_REDIRECT_URL = "log-in"
AUTHENTICATION_BACKENDS = ["django_auth_ldap.backend.LDAPBackend"] if FACILITY.directory_uris else []
globals().update(ldap_settings(FACILITY))

EMAIL_BACKEND = "facility.register.mail.Relay"
EMAIL_HOST = FACILITY.mail_server
EMAIL_PORT = FACILITY.mail_port
EMAIL_USE_TLS = True
EMAIL_TIMEOUT = 30
DEFAULT_FROM_EMAIL = FACILITY.mail_from

# The journal has it all; no mail to anybody.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"secret_addresses": {"()": "facility.register.journal.SecretAddresses"}},
    "handlers": {"journal": {"class": "logging.StreamHandler", "filters": ["secret_addresses"]}},
    "root": {"handlers": ["journal"], "level": "INFO"},
    "loggers": {"django.security.DisallowedHost": {"handlers": [], "propagate": False}},
}
