"""What models keep out of their domain, in four ways."""
