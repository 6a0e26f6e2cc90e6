"""Python types and JSON: the schema of a type, validation of JSON against it, and typed answers."""
