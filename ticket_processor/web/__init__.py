"""``ticketbot serve``: takes webhooks in, keeps them on a durable queue, and has runs handle their tickets."""
