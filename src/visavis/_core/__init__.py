"""The ground floor: array libraries, input checks, errors, optional imports."""
