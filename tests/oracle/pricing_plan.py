"""What one plan costs, worked out step by step in the order of the rules: line offers, order, subsidy, rebates. Slow on purpose."""

from tests.oracle.pricing_rules import after_limits, application_order, off_of_sets, part, share_out


class Plan:
    """A plan being worked out: what is left of each line, of each purse, and what each offer took by line."""

    def __init__(self, case):
        self.case = case
        self.net = [line["unit_price"] * line["qty"] for line in case["basket"]]
        self.purses = dict(case.get("purses", {}))
        self.applied = {}
        self.sponsor = 0
        self.back = [0] * len(self.net)  # rebates so far, by line

    def copy(self):
        other = Plan.__new__(Plan)
        other.case, other.net, other.back, other.sponsor = self.case, list(self.net), list(self.back), self.sponsor
        other.purses, other.applied = dict(self.purses), dict(self.applied)
        return other

    def take(self, offer, shares):
        for place, share in shares.items():
            self.net[place] -= share
        self.applied[offer["id"]] = {place: share for place, share in shares.items() if share}
        self.sponsor += part(sum(shares.values()), offer.get("sponsor_share_bp", 0))

    def run_line_stage(self, chosen, units):
        """`units` is, by line, a list of frozensets of offer ids, one for each unit. False if it is not legal."""
        pools = []  # by line: {what its units carry: [how many, running net]}
        for line, here in zip(self.case["basket"], units, strict=True):
            pools.append({way: [here.count(way), here.count(way) * line["unit_price"]] for way in dict.fromkeys(here)})
        for offer in application_order(chosen):
            mine = {}
            for place, pool in enumerate(pools):
                carrying = [way for way in pool if offer["id"] in way]
                if carrying:
                    mine[place] = carrying
            touched = {place: sum(pools[place][way][0] for way in ways) for place, ways in mine.items()}
            if sum(touched.values()) > offer.get("max_units", sum(touched.values())):
                return False
            gross, weights = self.line_amount(offer, pools, mine, touched)
            if gross is None or gross <= 0:
                return False
            amount = after_limits(offer, gross, self.purses)
            if not amount:
                return False
            shares = share_out(amount, weights)
            for place, share in shares.items():
                for way, off in share_out(share, {way: pools[place][way][1] for way in mine[place]}).items():
                    pools[place][way][1] -= off
            self.take(offer, shares)
        return True

    def line_amount(self, offer, pools, mine, touched):
        """What a line offer takes before caps (None if it may not stand like this), and the weights by line that a cap would share by."""
        prices = {place: self.case["basket"][place]["unit_price"] for place in touched}
        if offer["kind"] in {"bundle", "buy_x_get_y"}:
            return off_of_sets(self.case, offer, touched), {place: touched[place] * prices[place] for place in touched}
        uncapped = {}
        for place, ways in mine.items():
            if offer["kind"] == "percent_off":
                uncapped[place] = part(sum(pools[place][way][1] for way in ways), offer["rate_bp"])
            elif offer["kind"] == "amount_off_unit":
                units = [pools[place][way] for way in ways]
                uncapped[place] = sum(min(count * offer["amount"], running) for count, running in units)
            else:
                assert prices[place] > offer["price"]
                uncapped[place] = touched[place] * (prices[place] - offer["price"])
        return sum(uncapped.values()), uncapped

    def run_stage(self, offers, lines_of):
        """The offers of one stage above the line stage, all measured by the net that stage began with. False if one has no effect."""
        begun = list(self.net)
        for offer in application_order(offers):
            lines = lines_of[offer["id"]]
            base = sum(begun[place] for place in lines)
            running = sum(self.net[place] for place in lines)
            if base < offer.get("min_spend", 0):
                return False
            if offer["kind"] == "amount_off":
                amount = offer["amount"]
            elif offer["kind"] == "percent_off":
                amount = part(running, offer["rate_bp"])
            else:
                reached = [tier for tier in offer["tiers"] if base >= tier["min"]]
                if not reached:
                    return False
                tier = max(reached, key=lambda tier: tier["min"])
                amount = tier["off"] * (base // tier["min"] if offer.get("repeat") else 1)
            amount = after_limits(offer, min(amount, running), self.purses)
            if not amount:
                return False
            self.take(offer, share_out(amount, {place: self.net[place] for place in lines}))
        return True

    def give_back(self, offer, lines):
        """One rebate on what is paid. False if it gives nothing."""
        paid = {place: self.net[place] for place in lines}
        base = sum(paid.values())
        if base < offer.get("min_spend", 0):
            return False
        amount = base * offer["rate_bp"] // 10000 if offer["kind"] == "percent_back" else min(offer["amount"], base)
        amount = after_limits(offer, amount, self.purses)
        if not amount:
            return False
        shares = {
            place: min(share, self.net[place] - self.back[place]) for place, share in share_out(amount, paid).items()
        }
        if not any(shares.values()):
            return False
        for place, share in shares.items():
            self.back[place] += share
        self.applied[offer["id"]] = {place: share for place, share in shares.items() if share}
        return True
