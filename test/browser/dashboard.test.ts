/** The dashboard against the whole running stack, in a real browser; journeys share one stack and one browser. */
import { bulkJourneys } from "./journeys/bulk.ts";
import { frameJourneys } from "./journeys/frame.ts";
import { startJourneys } from "./journeys/journey.ts";
import { listJourneys } from "./journeys/list.ts";
import { monitorJourneys } from "./journeys/monitor.ts";
import { settingsJourneys } from "./journeys/settings.ts";

startJourneys();
frameJourneys();
settingsJourneys();
bulkJourneys();
listJourneys();
monitorJourneys();
