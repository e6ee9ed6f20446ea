// Prints the functions of sophia-run that a start in exec mode executes, a line for each file, and their number:
//
//   node scripts/executed.mjs --no-contract -- true
import { executedFunctions } from "./start/executed-functions.mjs";

const executed = await executedFunctions(process.argv.slice(2));
for (const [file, names] of executed) console.log(`${file}: ${[...names].join(" ")}`);
const total = Array.from(executed.values()).reduce((sum, names) => sum + names.size, 0);
console.log(`${total} functions in ${executed.size} files`);
