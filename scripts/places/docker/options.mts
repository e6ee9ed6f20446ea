/** Options of `run`, with both forms of sophia-run. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { terminalCommand } from "../../../test/helpers/terminal-command.ts";
import { type Case, shared } from "../report.ts";
import { run } from "../processes.ts";
import { ENGINE } from "./differences.mts";
import { type Container, runCommand, runToEnd, start } from "./engine.mts";
import { type Form, FORMS, LISTENS, plain, type Start, withEsc } from "./forms.mts";
import { ENVIRONMENT, KEY, type World } from "./world.mts";

/** The answer of the example's server, asked inside of the container. */
async function answer(container: Container): Promise<string> {
  await container.seen(LISTENS);
  const ask = 'fetch("http://127.0.0.1:3000").then(async (response) => console.log(await response.text()))';
  const { stdout, stderr } = await container.exec("node", "-e", ask);
  assert.equal(stderr, "");
  return stdout.trim();
}

const SERVED = JSON.stringify({ qdrant: "qdrant.example:6333", authenticated: true });
const UNPRIVILEGED = ["--cap-drop=ALL", "--security-opt=no-new-privileges"] as const;

export function optionCases(world: World): readonly Case[] {
  return [
    ...FORMS.flatMap((form) => [...servingCases(world, form), ...limitCases(form), ...terminalCases(form)]),
    [
      "executable: at --pids-limit a program cannot be started in spawn mode (126), and sophia-run says why",
      async () => {
        const given = plain(FORMS[0], { options: ["--pids-limit=1"], command: ["true"] });
        const { status, stderr } = await runToEnd(given);
        assert.deepEqual(
          { status, stderr },
          { status: 126, stderr: "sophia-run: true: the limit on processes is reached\n" },
        );
      },
    ],
  ];
}

function servingCases(world: World, form: Form): readonly Case[] {
  const serves = (name: string, given: Start, more?: (container: Container) => Promise<void>): Case => [
    `${form.name}: ${name}`,
    async () => {
      const container = await start(withEsc(world, form, given));
      assert.equal(await answer(container), SERVED);
      await more?.(container);
      const shown = `${await container.field("{{json .}}")}${Object.values(await container.logs()).join("")}`;
      assert(!shown.includes(KEY), "a value of ESC is in the container's properties or logs");
    },
  ];
  return [
    serves("the program has ESC's values, and neither properties nor logs have them", {}),
    [
      `${form.name}: a variable of --env wins over ESC`,
      async () => {
        const options = ["--env=QDRANT_URL=https://other.example"];
        const container = await start(withEsc(world, form, { options }));
        assert.equal(await answer(container), JSON.stringify({ qdrant: "other.example", authenticated: true }));
      },
    ],
    [
      `${form.name}: the variables of --env-file are enough`,
      async () => {
        const file = join(shared, "env-file");
        const lines = [`ESC_ENV=${ENVIRONMENT}`, `ESC_TOKEN=${world.esc.token}`];
        writeFileSync(file, `${lines.join("\n")}\n`);
        const { image, command = [] } = withEsc(world, form, {});
        const container = await start({ image, command, options: [`--env-file=${file}`, `--entrypoint=${form.path}`] });
        assert.equal(await answer(container), SERVED);
      },
    ],
    serves("--user with an ID that has no name and no home", { options: ["--user=12345:12345"] }),
    serves("--read-only", { options: ["--read-only"] }),
    serves(
      "--cap-drop ALL, no-new-privileges and --read-only",
      { options: [...UNPRIVILEGED, "--read-only"] },
      async (container) => {
        const { stdout } = await container.exec("sh", "-c", "cat /proc/1/status; touch /app/file 2>&1");
        assert.match(stdout, /^CapEff:\t0+$/m);
        assert.match(stdout, /^NoNewPrivs:\t1$/m);
        assert.match(stdout, /Read-only file system/);
      },
    ),
    serves("--init", { options: ["--init"] }, async (container) => {
      const { stdout } = await container.exec("cat", "/proc/1/comm");
      assert.equal(stdout.trim(), ENGINE.init);
    }),
    serves("without --init sophia-run is PID 1, and passes the program's end on", {}, async (container) => {
      const [, pid] = await container.seen(LISTENS);
      assert.notEqual(pid, "1");
    }),
    serves("in exec mode the program is PID 1", { options: ["--env=SOPHIA_MODE=exec"] }, async (container) => {
      const [, pid] = await container.seen(LISTENS);
      assert.equal(pid, "1");
    }),
  ];
}

function limitCases(form: Form): readonly Case[] {
  return [
    [
      `${form.name}: --memory ends the program that takes more, which is the container's status 137`,
      async () => {
        const take = "const all = []; for (;;) all.push(Buffer.alloc(1 << 24, 1));";
        const options = ["--memory=96m", "--memory-swap=96m"];
        const container = await start(plain(form, { options, command: ["node", "-e", take] }));
        assert.equal(await container.end(), 137);
        if (ENGINE.tellsOutOfMemory) assert.equal(await container.field("{{.State.OOMKilled}}"), "true");
      },
    ],
    [
      `${form.name}: --pids-limit that suffices for the program suffices for sophia-run`,
      async () => {
        const options = ["--pids-limit=12"];
        const { status, stdout } = await runToEnd(plain(form, { options, command: ["sh", "-c", "echo started"] }));
        assert.equal(status, 0);
        assert.equal(stdout, "started\n");
      },
    ],
  ];
}

function terminalCases(form: Form): readonly Case[] {
  const at = (mode: string): Case => [
    `${form.name}: with -it Ctrl-C reaches the program once, and its status is the client's, in ${mode} mode`,
    async () => {
      const program = `process.on("SIGINT", () => { console.log("interrupted"); setTimeout(() => process.exit(9), 300); });
        setInterval(() => {}, 60_000); console.log("ready " + process.stdout.isTTY);`;
      const options = [`--env=SOPHIA_MODE=${mode}`];
      const { command } = runCommand(plain(form, { options, command: ["node", "-e", program] }), ["-it"]);
      const { status, stdout } = await run(terminalCommand(command, [["ready true", "\u0003"]]));
      assert.equal(status, 9, stdout);
      assert.equal(stdout.split("interrupted").length, 2, stdout);
    },
  ];
  return [at("spawn"), at("exec")];
}
