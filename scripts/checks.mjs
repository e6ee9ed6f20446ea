// The checks of a change, once. `.ci/run` runs those for this machine, some at a time in this order; checks.yml runs those for
// GitHub's runners, a job for each system and version of Node.js; weekly.yml those that no change of this repository can break:
//
//   node scripts/checks.mjs          # the name of each, and who runs it
//   node scripts/checks.mjs here     # a line for each: name, names of those that must have passed, Node.js, command
//   node scripts/checks.mjs hosted   # the matrices of checks.yml's jobs, as outputs of a step; `hosted night`: those of a night
//   node scripts/checks.mjs weekly   # the matrix of weekly.yml's job, as an output of a step
//   node scripts/checks.mjs run NAME...   # runs checks one after another; `npm run check` runs those of the sources
//
// A check writes its test runner's report into the folder TEST_REPORTS, if that is set.
import { spawnSync } from "node:child_process";
import { join } from "node:path";

const LINUX = ["ubuntu-24.04", "ubuntu-24.04-arm"];
const NODES = ["20", "22", "24", "latest"];
/** The versions and systems that npm and the executable promise. */
const EVERYWHERE = { systems: LINUX, nodes: NODES };
const ONCE = { systems: ["ubuntu-24.04"], nodes: ["24"] };

/** The checks that must have passed before the others start. */
const STATIC = ["lint", "static"];
/** Makes what the checks after it need: executable, wheel, the runtime's shell, the executables for tests. */
const EXECUTABLES = ["executables"];

const EXECUTABLE = "dist-standalone/sophia-run-linux-$(node -p process.arch)";

/**
 * @typedef {object} Check
 * @property {string} name
 * @property {string} run a command for bash
 * @property {readonly string[]} after names of checks that must have passed
 * @property {{ node?: string, options?: string }} [here] `.ci/run` runs it: with a version of Node.js other than this
 *   machine's, with further arguments
 * @property {{ systems: readonly string[], nodes: readonly string[], busy?: boolean, nightly?: boolean }} [hosted] checks.yml
 *   runs it; each night on a busy machine, or each night alone
 * @property {boolean} [weekly] weekly.yml runs it
 * @property {{ test: string, otherwise: string }} [only] a condition of the machine, in bash
 */

/** The launch suite with a command prefix. */
function conformance(name, launcher, { env, ...where }) {
  const variable = env === undefined ? "" : ` --env ${env}`;
  const run = `python3 test/conformance/run.py --label ${name} --launcher "${launcher} --"${variable}`;
  return { name: `conformance-${name}`, run, after: launcher.startsWith(EXECUTABLE) ? EXECUTABLES : STATIC, ...where };
}

const NODE = "$(command -v node)";
/** A signal at any moment of a start comes at five moments in place of 14. */
const FEWER = "--moments 5";
/** On what Node.js leaves to the program: it is gone after that. */
const PART = ["attributes", "descriptors", "environment", "ipc", "limits", "signals-at-start", "stdio"]
  .map((each) => `--only '${each}/*'`)
  .join(" ");
/**
 * Tests of what commands find and write, and of files that they refuse. Package and executable run the same bundle there, so
 * `.ci/run` leaves these tests to the check `executable`: a start of Node.js takes twenty times as long. With Node.js `.ci/run` runs
 * `npm test`, each option of each command (`takers`) and the commands of the documents. checks.yml runs all tests in both forms.
 */
const OF_BOTH_FORMS = `
  commands/audit/audit commands/check/cached commands/compare/compare commands/completion/completion commands/docs/docs
  commands/docs/python commands/get/get commands/help/help commands/import/import commands/init/agent-hooks
  commands/init/variables-in-esc commands/init/fresh commands/init/new-contract commands/init/setup-steps
  commands/parts/other-tools commands/rotate/rotate commands/rotate/token commands/scan/history commands/scan/programs
  commands/scan/scan commands/scan/unsearched scenarios/actions-output scenarios/coming-from
  access/consent scenarios/credentials scenarios/first-value scenarios/key-addresses scenarios/least-privilege
  scenarios/network-from-files scenarios/opened-by-file scenarios/ownership scenarios/width access/links-out
  commands/enforce/enforce commands/login/login commands/request/request commands/set/set scenarios/code-from-files
  scenarios/irregular-files`;
/**
 * Tests that `.ci/run` runs with Node.js alone, in the check `slow`; checks.yml runs them in both forms. The check `checked` repeats those
 * of ESC's faults. To read large code takes the executable ten times as long, since it does not compile JavaScript to machine code:
 * 160 s in place of 12 s. The SDKs of the clouds wait minutes until their credentials expire.
 */
const OF_NODE_ALONE = [
  "scenarios/esc-faults",
  "commands/init/hostile-code",
  "commands/run/refresh/clouds",
  "commands/run/refresh/sdks-azure",
  "commands/run/refresh/sdks-google",
];
const exclude = (name) => `--exclude test/${name}.slow.test.ts`;
/** Tests of `npm test` that meet Node.js more than as a language: processes, connections, files of the system. */
const OF_NODE = [
  ...["broker", "commands/run", "esc", "launch", "native", "network", "sources", "system"].map(
    (each) => `test/${each}/`,
  ),
  "test/scenarios/signals",
].join(" ");
const SECRET = "PULUMI_ACCESS_TOKEN=pul-conformance-0a1b2c3d";
const KEY = "OPENAI_API_KEY=sk-conformance-0a1b2c3d4e5f6a7b8c9d";

const ALPINE = {
  test: '[ -e ".cache/alpine-$(uname -m)/root" ]',
  otherwise: "there is no root of Alpine",
};
const MUSL = "--only 'status/exit*' --only 'pid1/*'";

/** The jobs among which the mutants of a week are divided: one mutant takes minutes. */
const PARTS_OF_MUTATIONS = 5;

/** A script that must be root. */
function asRoot(command) {
  return `if [ "$(id -u)" = 0 ]; then ${command}; else sudo env "PATH=$PATH" ${command}; fi`;
}

/** The README's commands on a system that is made for them. */
function checkOnSystem(suite, node) {
  return {
    name: `${suite}-${node}`,
    run: asRoot(`scripts/platforms/system.sh ${suite} ${node}`),
    after: [],
    weekly: true,
  };
}

/** @type {readonly Check[]} */
const CHECKS = [
  { name: "lint", run: "npm run lint && npm run words", after: [], here: {}, hosted: ONCE },
  {
    name: "static",
    run: [
      "npx oxfmt --check",
      "npm run layers",
      "npm run typecheck",
      "npm run knip",
      "node scripts/widths.mjs",
      "npx publint",
      "npm run docs:check",
    ].join(" && "),
    after: [],
    here: {},
    hosted: ONCE,
  },

  {
    // Status 2 means that this machine lacks Go or Python, which the script says.
    name: "workflows",
    run: "scripts/platforms/workflows.sh || [ $? = 2 ]",
    after: STATIC,
    here: {},
    hosted: ONCE,
  },

  // The longest first, by processor time, but for `fresh`: it starts when `executables` ends, or `slow`, and waits for neither.
  // `slow`, `standalone` and `npm test` in the bare clone are `npm run test:all`.
  {
    name: "slow",
    run: "npx vitest run --project=slow",
    after: STATIC,
    // The launch suite in spawn mode is a check of its own.
    here: { options: ["launch/spawn/conformance", ...OF_BOTH_FORMS.trim().split(/\s+/)].map(exclude).join(" ") },
    hosted: { ...EVERYWHERE, busy: true },
  },
  {
    name: "executables",
    run: [
      "npm run build:standalone",
      "node scripts/wheel.mjs",
      "node scripts/release.mjs",
      "node runtime/build/runtime.mjs --shell",
      "node runtime/build/runtime.mjs --checked",
      '{ scripts/platforms/alpine-root.sh || echo "no root of Alpine: the tests that need it are skipped"; }',
    ].join(" && "),
    after: STATIC,
    here: {},
    hosted: { systems: LINUX, nodes: ["24"] },
  },
  {
    // The README's own commands, in a clone with only the commands that it names.
    name: "fresh",
    run: "scripts/platforms/fresh.sh 'npm run demo' 'npm test'",
    after: STATIC,
    here: {},
    hosted: ONCE,
  },
  {
    name: "executable",
    run: "npm run test:executable",
    after: EXECUTABLES,
    here: { options: `-- ${OF_NODE_ALONE.map(exclude).join(" ")}` },
    hosted: ONCE,
  },
  {
    // These need what `executables` makes, and would be skipped without it.
    name: "standalone",
    run: "npx vitest run --project=standalone",
    after: EXECUTABLES,
    here: {},
    hosted: { ...EVERYWHERE, busy: true },
  },
  {
    name: "quick",
    run: "npx vitest run --project=unit --project=esc --project=process",
    after: STATIC,
    // All of it runs in `fresh`.
    here: { node: "24", options: OF_NODE },
    hosted: { ...EVERYWHERE, busy: true },
  },
  {
    name: "runtime-fuzz",
    // At night two minutes for each subject.
    run: 'node scripts/platforms/runtime-fuzz.mjs $([ -n "${PROPERTY_SEED-}" ] && echo --seconds 120 || echo --runs 100)',
    after: EXECUTABLES,
    here: { node: "24" },
    // It compiles the libraries with sanitizers.
    hosted: { ...ONCE, nightly: true },
  },
  // Terminals and restarts, which `quick` leaves out. Each version of Node.js runs all of `slow` in checks.yml.
  {
    name: "terminals",
    run: "npx vitest run --project=slow test/launch/masking test/launch/watch",
    after: STATIC,
    here: { node: "24" },
  },
  { name: "checked", run: "scripts/platforms/checked.sh", after: EXECUTABLES, here: {}, hosted: ONCE },
  { name: "sanitizers", run: "scripts/platforms/sanitizers.sh", after: STATIC, here: {}, hosted: ONCE },

  // In spawn mode, in exec mode, as an executable, without the addon: all cases with one version of Node.js, and with the other
  // those that it matters to.
  conformance("spawn", `${NODE} bin/sophia-run --no-contract --mode spawn`, { here: { options: FEWER }, hosted: ONCE }),
  conformance("auto", `${NODE} bin/sophia-run --no-contract --mode auto`, { here: { node: "24" }, hosted: ONCE }),
  conformance("executable-spawn", `${EXECUTABLE} --no-contract --mode spawn`, {
    here: { options: FEWER },
    hosted: ONCE,
  }),
  conformance("executable-auto", `${EXECUTABLE} --no-contract --mode auto`, { here: { options: FEWER }, hosted: ONCE }),
  conformance("without-addon", `${NODE} --no-addons bin/sophia-run --no-contract --mode spawn`, {
    here: { options: FEWER },
    hosted: ONCE,
  }),
  // Only Node.js 24 can replace itself without the addon.
  conformance("exec-without-addon", `${NODE} --no-addons bin/sophia-run --no-contract --mode exec`, {
    here: { node: "24", options: FEWER },
    hosted: ONCE,
  }),
  conformance("spawn-24", `${NODE} bin/sophia-run --no-contract --mode spawn`, {
    here: { node: "24", options: `${FEWER} ${PART}` },
  }),
  conformance("auto-20", `${NODE} bin/sophia-run --no-contract --mode auto`, { here: { options: `${FEWER} ${PART}` } }),
  { name: "monitor", run: "scripts/platforms/monitor-sanitizers.sh", after: STATIC, here: {}, hosted: ONCE },
  // Masking and the broker keep Node.js as the parent process, by the same code: one version for each.
  conformance("redact", `${NODE} bin/sophia-run --no-contract --redact`, {
    env: SECRET,
    here: { options: FEWER },
    hosted: ONCE,
  }),
  conformance("redact-executable", `${EXECUTABLE} --no-contract --redact`, {
    env: SECRET,
    here: { options: FEWER },
    hosted: ONCE,
  }),
  conformance("broker", `${NODE} bin/sophia-run --no-contract -q --broker`, {
    env: KEY,
    here: { node: "24", options: FEWER },
    hosted: ONCE,
  }),
  conformance("broker-executable", `${EXECUTABLE} --no-contract -q --broker`, {
    env: KEY,
    here: { options: FEWER },
    hosted: ONCE,
  }),

  // The other C library, the other processor: checks.yml has runners with that processor.
  { name: "musl", run: `scripts/platforms/musl.sh ${MUSL}`, only: ALPINE, after: EXECUTABLES, here: {} },
  {
    name: "musl-executable",
    run: `scripts/platforms/musl.sh --launcher "${EXECUTABLE} --no-contract --" ${MUSL}`,
    only: ALPINE,
    after: EXECUTABLES,
    here: {},
  },
  {
    name: "arm64",
    run: "scripts/platforms/arm64.sh",
    only: {
      test: "unshare --user --map-root-user --mount mount -t binfmt_misc binfmt /proc/sys/fs/binfmt_misc",
      otherwise: "a user namespace has no binfmt_misc of its own here",
    },
    after: STATIC,
    here: {},
  },

  // The real places. With status 2, a place that cannot run here, the check says `not run: …`.
  { name: "systemd", run: "scripts/places/check.sh systemd", after: EXECUTABLES, here: {}, hosted: ONCE },
  {
    // Without its cache it would make roots and images for minutes. GitHub's runners have an engine of their own.
    name: "docker",
    run: "scripts/places/check.sh docker",
    only: { test: "[ -e .cache/places/roots/docker.made ]", otherwise: "no root is made (scripts/places/docker.sh)" },
    after: EXECUTABLES,
    here: {},
    hosted: ONCE,
  },
  {
    name: "actions",
    run: "scripts/places/check.sh actions",
    only: { test: "[ -e .cache/places/actions/act.made ]", otherwise: "act is not built (scripts/places/actions.sh)" },
    after: EXECUTABLES,
    here: {},
    hosted: ONCE,
  },
  // The same for Podman, which .ci/run leaves out: most of its cases are those of Docker.
  { name: "podman", run: "scripts/places/check.sh docker --engine podman", after: EXECUTABLES, hosted: ONCE },

  {
    // Four minutes. Not in weekly.yml: GitHub's runners have control groups of version 2 alone. There a group with a process
    // in it gives no controllers to the groups below, which the kubelet must have. But the `unshare` that space.sh starts stays
    // in the space's group, so that the kernel refuses root.sh the controllers: it must be moved out first. And joinGroups of
    // cluster.mts must take the group `init` that root.sh makes, in place of one in each hierarchy. The refusal was tried with
    // hugetlb, the one controller that version 2 has on a machine with both versions. Whether the node then starts can be tried
    // only where version 2 has cpu, memory and pids.
    name: "kubernetes",
    run: "scripts/places/check.sh kubernetes",
    only: {
      test: "ls .cache/places/kubernetes/*.made >/dev/null 2>&1",
      otherwise: "Kubernetes is not compiled (scripts/places/kubernetes.sh)",
    },
    after: EXECUTABLES,
    here: {},
  },

  // The newest evaluator of ESC answers as the local server does.
  {
    name: "esc-evaluator",
    run: "npx tsx test/esc-server/evaluator/record.mts --check --latest",
    after: [],
    weekly: true,
  },

  // A second build has the bytes of the first.
  { name: "rebuild", run: asRoot("scripts/platforms/rebuild.sh"), after: [], weekly: true },
  // A hundred changes of the program, which tests should notice. Each week has a sample of its own.
  ...Array.from({ length: PARTS_OF_MUTATIONS }, (_, index) => ({
    name: `mutations-${index + 1}`,
    run: `npm run mutations -- --seed "\${GITHUB_RUN_NUMBER:-1}" --part ${index + 1}/${PARTS_OF_MUTATIONS}`,
    after: EXECUTABLES,
    weekly: true,
  })),

  ...["bookworm", "trixie", "noble"].flatMap((suite) => ["20", "22", "24"].map((node) => checkOnSystem(suite, node))),

  // Tests that need Linux are skipped.
  {
    name: "macos",
    run: `npm run test:all -- ${[
      "core",
      "system",
      "contract",
      "sources",
      "esc",
      "command-line",
      "resolve",
      "output",
      "launch",
    ]
      .map((folder) => `test/${folder}`)
      .join(" ")}`,
    after: STATIC,
    hosted: { systems: ["macos-15", "macos-15-intel"], nodes: NODES },
  },
  {
    name: "windows",
    run: "npx tsx test/windows/run.ts",
    after: STATIC,
    hosted: { systems: ["windows-2025"], nodes: NODES },
  },
];

/** The lines that `.ci/run` reads. No field is empty: bash would take the next one. */
function here() {
  return CHECKS.flatMap(({ name, run, after, only, here: place }) => {
    if (place === undefined) return [];
    const whole = place.options === undefined ? run : `${run} ${place.options}`;
    const command =
      only === undefined ? whole : `if ${only.test}; then ${whole}; else echo 'not run: ${only.otherwise}'; fi`;
    return [[name, after.join(" ") || "-", place.node ?? "-", command].join("\t")];
  });
}

/** An entry for each system and version of Node.js. */
function jobs({ name, run, after, hosted: place }) {
  if (place === undefined) return [];
  const { systems, nodes, busy = false } = place;
  const built = after === EXECUTABLES;
  return systems.flatMap((system) => nodes.map((node) => ({ name, system, node, built, busy, run })));
}

/** The matrices of checks.yml, each night also with what runs then alone: one for what runs first, one for what makes the executables, one for all others. */
function hosted(when) {
  const isNight = when === "night";
  const all = CHECKS.filter(({ hosted: place }) => place !== undefined && (isNight || place.nightly !== true));
  const first = all.filter(({ name }) => STATIC.includes(name));
  const makers = all.filter(({ name }) => EXECUTABLES.includes(name));
  const others = all.filter((check) => !first.includes(check) && !makers.includes(check));
  return Object.entries({ static: first, build: makers, checks: others }).map(
    ([name, checks]) => `${name}=${JSON.stringify({ include: checks.flatMap(jobs) })}`,
  );
}

/** The matrix of weekly.yml. */
function weekly() {
  const include = CHECKS.flatMap((check) => (check.weekly === true ? jobs({ ...check, hosted: ONCE }) : []));
  return [`checks=${JSON.stringify({ include })}`];
}

function names() {
  return CHECKS.map((check) =>
    [check.name, ...["here", "hosted", "weekly"].filter((place) => check[place])].join("\t"),
  );
}

/** Runs all checks of these names, also behind one that fails. */
function runChecks(...wanted) {
  const checks = wanted.map((name) => CHECKS.find((check) => check.name === name));
  if (checks.length === 0 || checks.includes(undefined)) throw new Error(USAGE);
  const options = { cwd: join(import.meta.dirname, ".."), stdio: "inherit" };
  const failed = checks.filter(
    (check) => spawnSync("bash", ["-euo", "pipefail", "-c", check.run], options).status !== 0,
  );
  process.exitCode = failed.length === 0 ? 0 : 1;
  return failed.map(({ name }) => `failed: ${name}`);
}

const USAGE = "usage: node scripts/checks.mjs [here | hosted [night] | weekly | run NAME...]";
const ACTIONS = { here, hosted, weekly, run: runChecks };
const [action, ...rest] = process.argv.slice(2);
const print = action === undefined ? names : ACTIONS[action];
if (print === undefined) throw new Error(USAGE);
for (const line of print(...rest)) console.log(line);
