// foreground-child is a library; this is the launcher that its README shows.
// The package is found from the folder given by CONFORMANCE_PEERS, since it is not installed beside this file.
import { createRequire } from "node:module";

const require = createRequire(`${process.env.CONFORMANCE_PEERS}/package.json`);
const { foregroundChild } = require("foreground-child");

const [command, ...args] = process.argv.slice(2);
foregroundChild(command, args);
