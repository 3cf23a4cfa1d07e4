"""What people and programs are shown: what is applied at a position, the plan of a release, the difference of two."""
