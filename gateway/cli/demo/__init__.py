"""The demo: two matters for planted people, three attacks, and every receipt verified offline."""
