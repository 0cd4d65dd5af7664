"""Pages of those who run and audit: the trail, the linkage, migrations, editions, people at work."""
