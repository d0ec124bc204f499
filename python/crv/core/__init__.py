"""Values of a simulation's output: grammar, tables, row models, ids, hashes. Needs neither Arrow nor crv.io."""
