/** The first scene of the demo (scripts/demo.ts): a project that keeps its values in .env. */
import type { Stage } from "./stage.ts";
import { CONTRACT, CORRECT_ENV, type DotenvProject } from "./project.ts";

const START = ["sophia-run", "--", "node", "app.js"] as const;

/** Plays the first scene of the demo: a project with a `.env` gets a contract, a refusal, a good start and masked output. */
export async function playDotenv(stage: Stage, project: DotenvProject): Promise<void> {
  stage.step(
    "A project keeps its values in .env",
    "app.js reads process.env. Of its three variables, the file lacks one, and the",
    "port has a letter in it. Every value in this demo is fake.",
  );
  await stage.play({ words: ["cat", ".env"] }, project, { shows: [/^PORT=80O0$/m] });
  await stage.play({ words: ["sophia-run", "init"] }, project, {
    shows: [/^created sophia\.contract\.json: 3 variables/m, /^ +STRIPE_API_KEY .*\bcode\b/m],
  });

  project.edit("sophia.contract.json", CONTRACT);
  stage.step(
    "A wrong value, and a missing one",
    "In the editor the contract is made to state what the program needs. Nothing is",
    "started until .env has it; the message names the lines to fix.",
  );
  await stage.play({ words: ["cat", "sophia.contract.json"] }, project, {});
  await stage.play({ words: START }, project, {
    status: 78,
    shows: [/STRIPE_API_KEY is required and not set/, /PORT must be a port[^]*correct it in \.env, line 2/],
  });

  project.edit(".env", CORRECT_ENV);
  stage.step("The program starts", "Both lines are fixed in the editor. sophia-run has nothing to report.");
  await stage.play({ words: START }, project, { shows: [/^database on localhost, .*, port 8080$/m] });
  await stage.play({ words: ["sophia-run", "check"] }, project, { shows: [/DATABASE_URL: \*{3}shop \(\.env:1\)/] });

  stage.step(
    "A coding agent reads ***",
    "Claude Code sets CLAUDECODE for its commands; other agents have such variables.",
  );
  const agent = { variables: { CLAUDECODE: "1" }, words: ["sophia-run", "--", "cat", ".env"] } as const;
  const { stdout } = await stage.play(agent, project, { shows: [/^DATABASE_URL=\*{3}$/m, /^STRIPE_API_KEY=\*{3}$/m] });
  const secrets = CORRECT_ENV.split("\n").filter((line) => /^(?:DATABASE_URL|STRIPE_API_KEY)=/.test(line));
  const isHidden = secrets.every((line) => !stdout.includes(line.replace(/^\w+=/, "")));
  stage.verify(secrets.length === 2 && isHidden, "what the agent reads has neither of the secrets");
}
