"""What the machine has, and how its threads and time are used."""
