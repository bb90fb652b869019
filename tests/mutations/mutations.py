"""The list of mutations: by file, what is spoilt and how. Each text must stand exactly once in its file, or the script says so."""

from tests.mutations.trial import Mutation

SPOILT = {
    "market/kit/money.py": [
        ("rates round down", "(2 * amount * share_bp + WHOLE_BP) // (2 * WHOLE_BP)", "amount * share_bp // WHOLE_BP"),
        ("halves round down", "(2 * numerator + denominator) //", "(2 * numerator + denominator - 1) //"),
        ("ties of remainders go to the later line", "-weights[i], i)", "-weights[i], -i)"),
        ("ties of remainders go to the smaller weight", "-weights[i], i)", "weights[i], i)"),
        (
            "spare fen go to the smallest remainders",
            "(-(amount * weights[i] % whole)",
            "((amount * weights[i] % whole)",
        ),
        ("a line of no weight gets a fen", "key=lambda i: (", "key=lambda i: (weights[i] > 0, "),
        ("a refund rounds up", "return amount * done // whole", "return -(-amount * done // whole)"),
    ],
    "market/pricing/gates.py": [
        ("a window includes its end", "case.now >= end", "case.now > end"),
        ("a window leaves out its beginning", "case.now < begin", "case.now <= begin"),
        ("hours include their end", "begin <= minute < end", "begin <= minute <= end"),
        ("the part after midnight is of the new weekday", "yesterday and minute", "today and minute"),
        ("hours are read without their zone", "case.now.astimezone(get_zone(offer.zone))", "case.now"),
        ("channels are ignored", "offer.channels and case.channel", "False and case.channel"),
        ("every item of a fact must be allowed", "return any(type(one)", "return all(type(one)"),
        ("a stored gate is ignored", "if candidate.gate is not ABSENT", "if False"),
        ("declined is ignored", "if offer.id in case.declined", "if offer.id in ()"),
        ("consent is ignored", 'offer.consent == "ask" and', "False and"),
        ("a used-up quota is ignored", "candidate.uses_remaining == 0 or ", ""),
        ("discountable is ignored", "if line.discountable:", "if True:"),
        ("excluded items are not excluded", "lines[position].sku not in match.exclude_skus", "True"),
        ("merchants are no scope", "lines[position].merchant in match.merchants", "True"),
        ("shops are no scope", "if match.shops and shelf.shop", "if False and shelf.shop"),
        ("the last reason in order is given", "min((reason for reason", "max((reason for reason"),
    ],
    "market/pricing/kinds.py": [
        ("the lowest tier reached", "least, off = max(", "least, off = min("),
        ("a tier is reached only above its minimum", "if tier[0] <= threshold_base", "if tier[0] < threshold_base"),
        ("repeat is ignored", "threshold_base // least if offer.repeat else 1", "1"),
        (
            "a rebate rounds up",
            "back = running * offer.rate_bp // WHOLE_BP",
            "back = -(-running * offer.rate_bp // WHOLE_BP)",
        ),
        (
            "amounts run after percentages",
            "return offer.kind is Kind.PERCENT_OFF if",
            "return offer.kind is not Kind.PERCENT_OFF if",
        ),
        ("buy-x-get-y rewards the dearest", "+ max(0, units % size - offer.buy)", "+ min(units % size, offer.get)"),
        ("two sets cost the price of one", "- sets * offer.price", "- offer.price"),
        ("a fixed price raises what is cheaper", "max(0, net - units * price)", "abs(net - units * price)"),
        ("an amount per unit takes more than there is", "min(units * amount, net)", "units * amount"),
    ],
    "market/pricing/offer.py": [
        ("a group is ignored", 'put(self, "is_gated"', 'put(self, "group", None)\n        put(self, "is_gated"'),
        ("alone is ignored", 'put(self, "is_gated"', 'put(self, "alone", "none")\n        put(self, "is_gated"'),
        ("max_units is ignored", 'put(self, "is_gated"', 'put(self, "max_units", None)\n        put(self, "is_gated"'),
        ("priority is reversed", "-self.priority", "self.priority"),
        ("stackable is ignored", "self.line_stackable and self.stage", "False and self.stage"),
        ("every line kind may be stacked", "and self.kind in STACKABLE", ""),
        ("a rebate to the union is a choice", 'self.stage is not Stage.REBATE or self.rebate_to == "member"', "True"),
    ],
    "market/pricing/apply.py": [
        ("max_discount is ignored", "caps = (self.offer.max_discount, ", "caps = (None, "),
        (
            "what is left for the member is ignored",
            "candidate.member_amount_remaining, budget if partial",
            "None, budget if partial",
        ),
        ("a partial budget is treated as none", 'partial = self.offer.on_shortage == "partial"', "partial = False"),
        ("a budget that may not be short is cut", 'partial = self.offer.on_shortage == "partial"', "partial = True"),
        (
            "a partial purse is treated as none",
            'if use.offer.on_shortage == "none":\n                    return None',
            "return None",
        ),
        ("a purse is spent twice", "self.left[purse] -= step.sponsor", "self.left[purse] -= 0"),
        ("a sponsor bears a rebate", "0 if self.offer.stage is Stage.REBATE else ", ""),
        ("a threshold is reached only above it", "if spent < use.least:", "if spent <= use.least:"),
        ("thresholds look at the running net", "self._threshold_net[position] for", "self.net[position] for"),
        ("a rebate's threshold is reached only above it", "if base < use.least:", "if base <= use.least:"),
        ("rebates give more than was paid", "kept = min(share, left[position])", "kept = share"),
        ("a rebate looks at what earlier rebates left", "weights = [paid[position]", "weights = [left[position]"),
        (
            "a cap is shared by what stands, not by what each would get",
            "else largest_remainder(amount, weights)",
            "else largest_remainder(amount, [1] * len(weights))",
        ),
    ],
    "market/pricing/engine.py": [
        (
            "a sponsor's part of a line rounds down",
            "paid = share_of(done, step.use.share_bp)",
            "paid = done * step.use.share_bp // 10_000",
        ),
        (
            "a sponsor's part is rounded for each line",
            "sponsor = paid - paid_before",
            "sponsor = share_of(fen, step.use.share_bp)",
        ),
        ("a rebate to the union counts as the member's", "off = back[rebate_to] if", 'off = back["member"] if'),
        (
            "a rebate to the union is taken from list",
            "accrue(dict(enumerate(plan.net)),",
            "accrue(dict(enumerate(line.list_price for line in case.basket)),",
        ),
        ("a merchant receives only what was paid", "+ whole - concession", "+ whole - concession - sponsor"),
        ("min_qty is ignored", "if offer.min_qty > 1 and", "if False and"),
        ("a line offer's min_spend is reached only above it", ">= use.least", "> use.least"),
    ],
    "market/pricing/reasons.py": [
        ("short_by is a fen too much", "short_by=need - spent", "short_by=need - spent + 1"),
        ("a shared group bars nobody", "offer.group in plan.groups or ", ""),
        (
            "a barred offer is told to be beaten",
            "Reason.EXCLUSIVE_CONFLICT if barred",
            "Reason.BEATEN_BY_BETTER if barred",
        ),
    ],
    "market/pricing/rebates.py": [
        ("a rebate joins a group that a discount holds", " if use.offer.group not in barred for", " for"),
    ],
    "market/pricing/refund.py": [
        ("a refund claws no rebate back", "rebate_back=sum(part.fen for part in rebates)", "rebate_back=0"),
        ("a refund begins anew at each step", "- cumulative_share(fen, units_before, shares.qty)", ""),
    ],
    "market/pricing/document.py": [
        ("a repriced refund forgets earlier steps", " - given[back])", ")"),
    ],
}
MUTATIONS = [Mutation(name, path, old, new) for path, rows in SPOILT.items() for name, old, new in rows]
