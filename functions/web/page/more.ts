/** Pages that are loaded when one of them is opened: most visits look at monitors and incidents only. */
export { ChannelPage } from "./channels/channel.tsx";
export { ChannelsPage } from "./channels/list.tsx";
export { LocationsPage } from "./locations/list.tsx";
export { NewWindowPage, WindowPage } from "./maintenance/edit.tsx";
export { MaintenancePage } from "./maintenance/list.tsx";
export { EditPage } from "./monitors/edit.tsx";
export { GuidePage } from "./monitors/guide.tsx";
export { NewPolicyPage, PolicyPage } from "./policies/edit.tsx";
export { PoliciesPage } from "./policies/list.tsx";
export { SubscriptionsPage } from "./subscriptions/list.tsx";
