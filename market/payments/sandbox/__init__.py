"""The sandbox: a provider to play with, in Stripe's dialect. It keeps its books, and no money moves. For demos and tests only."""
