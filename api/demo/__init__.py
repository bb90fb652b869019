"""The demo works: an invented steelworks with its people, shops, offers and half a year of sales, the same from the same seed."""
