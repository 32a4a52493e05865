# SPDX-License-Identifier: GPL-3.0-or-later
"""What a Windows PC has and Wine lacks: WinRM, Task Scheduler, access control lists, a console, a clock of its own."""
