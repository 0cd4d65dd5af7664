"""Pages for people at work: layout, who acts, errors, paging. Other folders of the web build on it."""
