/** Pages that are loaded when one of them is opened: most visits look at monitors and incidents only. */
export { ChannelsPage } from "./channels/list.tsx";
export { LocationsPage } from "./locations/list.tsx";
export { EditPage } from "./monitors/edit.tsx";
export { GuidePage } from "./monitors/guide.tsx";
export { AuditPage } from "./settings/audit.tsx";
export { DisplayPage } from "./settings/display.tsx";
export { SessionsPage } from "./settings/sessions.tsx";
export { TokensPage } from "./settings/tokens.tsx";
