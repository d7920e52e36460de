/** Pages and dialogs that are loaded when one of them is opened: most visits look at monitors and incidents only. */
export { ChannelsPage } from "./channels/list.tsx";
export { LocationsPage } from "./locations/list.tsx";
export { BulkBar } from "./monitors/bulk.tsx";
export { ClonePage } from "./monitors/clone.tsx";
export { EditPage } from "./monitors/edit.tsx";
export { GuidePage } from "./monitors/guide.tsx";
export { ImportDialog } from "./monitors/import.tsx";
export { ResultsPage } from "./monitors/results.tsx";
export { HelpDialog } from "./parts/help.tsx";
export { Palette } from "./parts/palette.tsx";
export { AuditPage } from "./settings/audit.tsx";
export { DisplayPage } from "./settings/display.tsx";
export { SessionsPage } from "./settings/sessions.tsx";
export { TokensPage } from "./settings/tokens.tsx";
export { WallPage } from "./wall/wall.tsx";
