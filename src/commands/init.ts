import { SophiaError } from "../error.ts";
import type { Command } from "./index.ts";

export const init: Command = () => {
  throw new SophiaError({ code: "pending", message: "not there yet" });
};
