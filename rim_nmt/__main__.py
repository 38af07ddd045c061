"""`python -m rim_nmt` is `rim-nmt`."""

from rim_nmt.cli.main import main

if __name__ == "__main__":
    main()
