/**
 * Generates clients of the API in Python, Go and Java from the document of a running stack, compiles them, and uses each:
 * it creates, changes, applies and lists monitors, and reads results and statistics. What is not installed is skipped, and
 * said so. `npm run generators [-- <name>…]`; the tools are looked for on the PATH.
 */
import { execFile } from "node:child_process";
import { accessSync, constants, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { isDeepStrictEqual, promisify } from "node:util";
import { freePort, startProduct } from "./support/product.ts";

const run = promisify(execFile);
const PROGRAMS = join(import.meta.dirname, "generators");

interface Generator {
  readonly name: string;
  /** Programs that it needs. */
  readonly tools: readonly string[];
  /** The program in `test/generators/` that uses the client, and where in the folder of the client it belongs. */
  readonly program: readonly [file: string, place: string];
  /** Commands that make and compile the client of `openapi.json`. */
  readonly build: readonly (readonly string[])[];
  /** The command that runs the program; the URL and the token follow. */
  readonly use: readonly string[];
}

const GENERATORS: readonly Generator[] = [
  {
    name: "openapi-python-client",
    tools: ["openapi-python-client", "python3"],
    program: ["openapi-python-client.py", "program.py"],
    build: [
      ["openapi-python-client", "generate", "--path", "openapi.json", "--output-path", "client", "--meta", "none"],
      ["mv", "client", "harborlight_client"],
      ["python3", "-m", "compileall", "-q", "harborlight_client"],
    ],
    use: ["python3", "program.py"],
  },
  {
    name: "openapi-generator-python",
    tools: ["openapi-generator-cli", "python3"],
    program: ["openapi-generator.py", "program.py"],
    build: [
      [
        "openapi-generator-cli",
        "generate",
        "-g",
        "python",
        "-i",
        "openapi.json",
        "-o",
        ".",
        "--package-name",
        "harborlight",
      ],
      ["python3", "-m", "compileall", "-q", "harborlight"],
    ],
    use: ["python3", "program.py"],
  },
  {
    name: "oapi-codegen",
    tools: ["oapi-codegen", "go"],
    program: ["oapi-codegen.go", "main.go"],
    build: [
      ["mkdir", "harborlight"],
      [
        "oapi-codegen",
        "-package",
        "harborlight",
        "-generate",
        "types,client",
        "-o",
        "harborlight/client.go",
        "openapi.json",
      ],
      ["go", "mod", "init", "example.com/generated"],
      ["go", "mod", "tidy"],
      ["go", "build", "-o", "program", "."],
    ],
    use: ["./program"],
  },
  {
    name: "openapi-generator-java",
    tools: ["openapi-generator-cli", "mvn", "java"],
    program: ["OpenapiGenerator.java", "src/main/java/OpenapiGenerator.java"],
    build: [
      [
        ...["openapi-generator-cli", "generate", "-g", "java", "--library", "native", "-i", "openapi.json", "-o", "."],
        // Without this, the client sends an empty list for every list that the program leaves out.
        "--additional-properties=containerDefaultToNull=true",
      ],
      ["mvn", "-q", "-B", "compile", "dependency:copy-dependencies"],
    ],
    use: ["java", "-cp", "target/classes:target/dependency/*", "OpenapiGenerator"],
  },
];

const isInstalled = (tool: string) =>
  (process.env.PATH ?? "").split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, tool), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });

/** What each program prints. */
const EXPECTED = {
  interval: 30,
  applied: 1,
  names: ["Applied", "Generated"],
  results: 0,
  checks: 0,
  refused: "not-found",
};

const tryOut = async (
  { name, program, build, use }: Generator,
  within: string,
  [url, token]: readonly [string, string],
) => {
  const folder = join(within, name);
  mkdirSync(join(folder, "src/main/java"), { recursive: true });
  writeFileSync(join(folder, "openapi.json"), await (await fetch(`${url}/v1/openapi.json`)).text());
  const options = { cwd: folder, maxBuffer: 64 * 1024 * 1024 };
  for (const [command = "", ...parameters] of build) {
    // The program is put there last, so that a generator cannot overwrite it.
    if (command !== "openapi-generator-cli") copyFileSync(join(PROGRAMS, program[0]), join(folder, program[1]));
    await run(command, parameters, options);
  }
  const [command = "", ...parameters] = use;
  const { stdout } = await run(command, [...parameters, url, token], options);
  const printed: unknown = JSON.parse(stdout);
  if (!isDeepStrictEqual(printed, EXPECTED)) throw new Error(`the program printed ${stdout}`);
};

/** Patient, because the machine may be busy. */
const STARTS_WITHIN_MS = 180_000;
const chosen = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), "harborlight-generators-"));
const product = await startProduct(join(folder, "data"), await freePort(), {}, STARTS_WITHIN_MS);
let failures = 0;
try {
  for (const generator of GENERATORS) {
    if (chosen.length > 0 && !chosen.includes(generator.name)) continue;
    const missing = generator.tools.filter((tool) => !isInstalled(tool));
    if (missing.length > 0) {
      console.log(`SKIPPED ${generator.name}: not installed: ${missing.join(", ")}`);
      continue;
    }
    const startedAt = Date.now();
    try {
      await tryOut(generator, folder, [product.apiUrl, product.token]);
      console.log(`ok      ${generator.name}, ${((Date.now() - startedAt) / 1000).toFixed(0)} s`);
    } catch (error) {
      failures++;
      console.log(`FAILED  ${generator.name}: ${(error as Error).message.slice(0, 4_000)}`);
    }
  }
} finally {
  await product.stop();
  rmSync(folder, { recursive: true, force: true });
}
process.exitCode = failures > 0 ? 1 : 0;
