"""A blinded comparison of two renderings by people: the page that asks, and the tally of what they chose."""
