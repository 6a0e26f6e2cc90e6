"""Values about the runtime process: what is known of it, how it is doing, when it is restarted."""
