import type { Report } from "../../output/report.ts";
import { json } from "./json.ts";
import { text } from "./text.ts";

/** A format turns a report into what is printed. It cannot leak: a report holds no values. */
export type Format = (report: Report) => string;

export const FORMATS = { text, json } as const satisfies Record<string, Format>;
