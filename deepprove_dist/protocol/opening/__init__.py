"""The opening: one WHIR proof (eprint 2024/1586) discharges all linear claims about both matrices."""
