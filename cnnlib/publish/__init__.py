"""From the sources of chapters to committed notebooks, checks, decks and copies; and a doctor for the machine."""
