"""The ground floor: kit, offers, pricing, ledger, sales, payments, settlement, public record."""
