"""The portal: pages where customers submit and follow tickets of the local helpdesk, and agents work them."""
