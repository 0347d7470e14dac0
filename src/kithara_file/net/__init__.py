"""How do I get bytes a..b of this URL: requests, answers, and what they prove."""
