"""The weekly sheet for the notice board: what stands in it, and the A4 page it is printed on. It shows only what is public already."""
