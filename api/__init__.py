"""The doors: HTTP routes for programs and people, sign-in, the command line. May import every room below."""
