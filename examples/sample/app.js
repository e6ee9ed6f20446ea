"use strict";
// Prints the configuration that it got, masked. Like any program it reads only process.env.
const { statSync } = require("node:fs");

const SECRETS = [
  "PULUMI_ACCESS_TOKEN",
  "GH_FINE_GRAINED_TOKEN",
  "GITHUB_PAT",
  "QDRANT_URL",
  "QDRANT_API_KEY",
  "ANTHROPIC_API_KEY",
  "OPENAI_API_KEY",
  "DATABASE_URL",
];
const OPEN = ["LOG_LEVEL", "FEATURE_FLAGS"];
const FILES = ["GOOGLE_APPLICATION_CREDENTIALS"];
const WITHHELD = ["ESC_TOKEN"];

/** Of a secret the last four characters are shown at most, and of a short one nothing. */
function mask(value) {
  return value.length < 12 ? "***" : `***${value.slice(-4)}`;
}

function file(path) {
  return `mode ${(statSync(path).mode & 0o777).toString(8)}, ${path}`;
}

function show(names, render) {
  for (const name of names) {
    const value = process.env[name];
    const shown = value === undefined ? "not set" : render(value);
    process.stdout.write(`${name.padEnd(32)}${shown}\n`);
  }
}

show(SECRETS, mask);
show(OPEN, (value) => value);
show(FILES, file);
show(WITHHELD, mask);
