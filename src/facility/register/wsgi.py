# SPDX-License-Identifier: GPL-3.0-or-later
"""What gunicorn runs."""

from __future__ import annotations

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "facility.register.settings")

from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()
