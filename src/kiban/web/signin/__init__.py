"""Sign-in of people: accounts and sessions, in a schema and role of their own."""
