"""Values about the runtime process: process, metadata, health, restarts, overrides of its configuration."""
