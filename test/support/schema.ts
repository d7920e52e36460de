import { type TableDefinition, tableDefinition } from "../../infra/local/dynamodb/table-definition.ts";
import { loadTemplate, type Resource } from "../../infra/local/template/template.ts";

/** The resources of the assembly that was synthesised for this test run. @throws with the reason when there is none. */
export function synthesised(): Resource[] {
  const folder = process.env.HARBORLIGHT_TEST_ASSEMBLY;
  if (!folder) throw new Error(process.env.HARBORLIGHT_TEST_ASSEMBLY_FAILURE ?? "run by vitest's globalSetup only");
  return loadTemplate(folder, { gatewayUrl: "http://127.0.0.1:1" });
}

/** Both tables as the deployed template has them. */
export function tableDefinitions(): { monitors: TableDefinition; history: TableDefinition } {
  const tables = synthesised().filter(({ type }) => /^AWS::DynamoDB::(Global)?Table$/.test(type));
  const find = (word: string) => {
    const found = tables.find(({ name }) => name.includes(word));
    if (!found)
      throw new Error(`no table's name contains ${word}; there are ${tables.map(({ name }) => name).join(", ")}`);
    return tableDefinition(found.type, found.name, found.properties);
  };
  return { monitors: find("monitors"), history: find("history") };
}
