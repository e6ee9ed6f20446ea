// The progress of a long build: the time that it took last time, and its steps. On the standard error, since the standard output has
// the paths of what was built.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Prints how long each target took last time.
 *
 * @param file that holds the seconds, by target
 * @param names of the targets, in their order
 * @param print gets lines
 * @param now returns milliseconds
 */
export function buildProgress(file, names, print = (line) => process.stderr.write(`${line}\n`), now = Date.now) {
  const former = secondsIn(file);
  const words = names.map((name) => {
    const seconds = former[name];
    return `${name} (${seconds === undefined ? "not built here before" : `${duration(seconds)} last time`})`;
  });
  print(`building ${words.join(", ")}`);
  return {
    /** Starts a target. Returns a function that tells a step, and one that ends the target. */
    start(name) {
      const began = now();
      const elapsed = () => Math.round((now() - began) / 1000);
      return {
        step: (what) => print(`${name}, ${duration(elapsed())}: ${what}`),
        end: () => {
          const seconds = elapsed();
          print(`${name}, ${duration(seconds)}: done`);
          mkdirSync(dirname(file), { recursive: true });
          writeFileSync(file, `${JSON.stringify({ ...secondsIn(file), [name]: seconds })}\n`);
        },
      };
    },
  };
}

/** @returns the seconds by target; none if the file is missing or damaged */
function secondsIn(file) {
  try {
    const entries = Object.entries(JSON.parse(readFileSync(file, "utf8")));
    return Object.fromEntries(entries.filter(([, seconds]) => Number.isFinite(seconds)));
  } catch {
    return {};
  }
}

function duration(seconds) {
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
