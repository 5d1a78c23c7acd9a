"""Tables, the HTML page, JUnit."""
