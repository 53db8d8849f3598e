"""From the sources of chapters to committed notebooks, checks, decks and copies."""
