"use strict";
// A job that fails, and says how by its exit status.
process.stderr.write("7 documents could not be indexed\n");
process.exitCode = 7;
