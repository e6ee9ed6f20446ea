import { natives } from "../native.ts";
export const isatty = (n: number) => natives<any>().isTerminal(n);
