"""What the apps' demos have in common: checks, the page and the console that show them, a look at what is deployed."""
