"""The counter: find a person, read what the registers hold of her and how it came about; derived from the editions in force."""
