"""The public record: what is published of every business event, stored verbatim as bytes and never changed."""
