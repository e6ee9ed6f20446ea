/* The corpus: small inputs of each kind that a run gives unchanged first, and then changed. Works in Node.js and in the runtime. */
const { readdirSync, readFileSync } = require("node:fs");
const { join } = require("node:path");
const { mutate } = require("./random.cjs");

/**
 * Reads a folder of the corpus. Returns the contents of its files in the order of their names.
 */
exports.readCorpus = (folder) =>
  readdirSync(folder)
    .toSorted()
    .map((name) => readFileSync(join(folder, name)));

/**
 * Returns the input of a run: the first runs get the files as they are, and each later one a changed file. A changed file may have
 * the beginning of one file and the end of another.
 *
 * @param inputs as `readCorpus` returns them @param number of the run, from 0 @param most changes
 */
exports.chooseInput = (inputs, number, next, most = 4) => {
  if (number < inputs.length) return inputs[number];
  const input = inputs[next(inputs.length)];
  if (next(6) > 0) return mutate(next, input, most);
  const other = inputs[next(inputs.length)];
  const spliced = Buffer.concat([input.subarray(0, next(input.length + 1)), other.subarray(next(other.length + 1))]);
  return next(2) === 0 ? spliced : mutate(next, spliced, most);
};
