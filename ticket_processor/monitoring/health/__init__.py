"""How the service is: settings, helpdesk, models, disk, state, runs. Looks only, and ends within seconds."""
