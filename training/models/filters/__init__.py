"""Networks that learn the CRF renderer, and what they share."""
