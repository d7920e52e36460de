/** That two linters of OpenAPI documents, Redocly and Spectral, have nothing to say against ours. */
import { createConfig, lintFromString } from "@redocly/openapi-core";
import spectralCore from "@stoplight/spectral-core";
import spectralRulesets from "@stoplight/spectral-rulesets";
import { expect, test } from "vitest";
import { document } from "../../../support/document.ts";

const source = JSON.stringify(document);
/** The document is large, and the machine of the tests may be busy. */
const TIMEOUT_MS = 180_000;

test("Redocly finds nothing", { timeout: TIMEOUT_MS }, async () => {
  const config = await createConfig({ extends: ["recommended"] });
  const problems = await lintFromString({ source, absoluteRef: "openapi.json", config });
  expect(problems.map(({ ruleId, message, location }) => `${ruleId}: ${message} ${location[0]?.pointer}`)).toEqual([]);
});

const RULES = {
  // Each installation belongs to somebody else.
  "info-contact": "off",
  // Knows OpenAPI 3.0 only: from 3.1 on, schemes other than OAuth may name what they need, too.
  "oas3-operation-security-defined": "off",
  // Redocly's no-invalid-media-type-examples checks the same, in a tenth of the time.
  "oas3-valid-media-example": "off",
};

test("Spectral finds nothing", { timeout: TIMEOUT_MS }, async () => {
  const spectral = new spectralCore.Spectral();
  spectral.setRuleset({ extends: [[spectralRulesets.oas, "all"]], rules: RULES } as never);
  const results = await spectral.run(source);
  expect(results.map(({ code, message, path }) => `${code}: ${message} ${path.join(".")}`)).toEqual([]);
});
