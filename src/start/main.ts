/** What bin/ loads: runs the bundled program. */
import { compileScript, entryOf, type ScriptName } from "./scripts.ts";

const script = (name: ScriptName): unknown => entryOf(compileScript(__dirname, name))(require, script);
script("program");
