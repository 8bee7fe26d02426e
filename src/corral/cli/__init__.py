"""The command line: one command per file, all on what the other packages offer to everyone.

Exit codes: 0 it is done; 1 it was tried and did not work out (no such job, a job that failed, a server that is gone);
2 a person has to change something first (a wrong argument, a module that cannot be imported, a wrong password).
"""
