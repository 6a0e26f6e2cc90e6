"""Values about the runtime process and its settings, the masking of secrets, and imports at first use."""
