"use strict";
// A job that fails with an exit status of its own.
process.stderr.write("7 documents could not be indexed\n");
process.exitCode = 7;
