/** Every call of the API. To add a resource: its file, its test, its row here. */
import type { Route } from "../route.ts";
import { health } from "./health.ts";
import { incidents } from "./incidents.ts";
import { monitors } from "./monitors.ts";
import { openapi } from "./openapi.ts";
import { protocols } from "./protocols.ts";
import { tokens } from "./tokens.ts";

export const routes: readonly Route[] = [...monitors, ...incidents, ...tokens, ...protocols, ...openapi, ...health];
