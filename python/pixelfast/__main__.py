"""`python -m pixelfast` is the same as `pixelfast`."""

from pixelfast.cli import main

if __name__ == "__main__":
    main()
