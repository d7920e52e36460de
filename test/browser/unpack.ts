/** A process of its own: unpacks the browser that npm installed, and prints where it is and how it wants to be started. */
import { existsSync } from "node:fs";
import chromium from "@sparticuz/chromium";

const path = await chromium.executablePath();
const { LD_LIBRARY_PATH = "", FONTCONFIG_PATH = "" } = process.env;
const env = { LD_LIBRARY_PATH, ...(existsSync(FONTCONFIG_PATH) && { FONTCONFIG_PATH }) };
console.log(JSON.stringify({ path, args: chromium.args, env }));
