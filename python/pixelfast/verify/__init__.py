"""Are the engines right on this machine, how fast are they, and what bounds a whole run?"""
