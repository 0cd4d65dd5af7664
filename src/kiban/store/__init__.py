"""The integrated database: the only room that speaks SQL to the registers."""
